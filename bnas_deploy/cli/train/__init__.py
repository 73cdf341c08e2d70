"""bnas-train."""
