"""Each step of a program made ready for the Numba kernels: weights repacked, kernels chosen."""
