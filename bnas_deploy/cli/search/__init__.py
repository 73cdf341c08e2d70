"""bnas-search."""
