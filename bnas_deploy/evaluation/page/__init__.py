"""The page of an evaluation: one HTML file that needs nothing else, and the files beside it."""
