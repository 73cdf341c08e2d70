"""bnas-serve."""
