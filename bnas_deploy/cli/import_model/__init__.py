"""bnas-import."""
