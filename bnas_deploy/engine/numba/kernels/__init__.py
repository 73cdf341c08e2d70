"""The kernels themselves, as Numba compiles them."""
