"""The kernels that Numba compiles."""
