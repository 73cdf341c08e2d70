"""bnas-report."""
