"""The converters' graph: flat, typed, printable nodes over named values, and what they mean."""
