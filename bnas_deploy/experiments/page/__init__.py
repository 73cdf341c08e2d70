"""The page of results and its pictures."""
