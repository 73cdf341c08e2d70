"""Runs the jobs of an experiment, and knows which are done."""
