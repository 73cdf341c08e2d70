"""Other engines, to measure against: each runs a float network of PyTorch, some in int8."""
