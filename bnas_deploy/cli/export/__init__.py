"""bnas-export."""
