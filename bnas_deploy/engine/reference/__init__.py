"""The reference backend in plain NumPy: the meaning of every step."""
