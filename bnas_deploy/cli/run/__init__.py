"""bnas-run."""
