"""Models of other dialects, written out in the operators that have rules."""
