"""The frontier: accuracy against time and bytes, of binary networks and of what people deploy."""
