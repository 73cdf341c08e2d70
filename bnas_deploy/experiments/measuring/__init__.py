"""Measures of trained and packed networks."""
