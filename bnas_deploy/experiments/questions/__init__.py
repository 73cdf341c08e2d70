"""What each experiment asks: its variants, the paper's values, its metrics."""
