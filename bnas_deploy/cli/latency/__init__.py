"""The command bnas-latency."""
