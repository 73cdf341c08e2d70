"""bnas-inspect."""
