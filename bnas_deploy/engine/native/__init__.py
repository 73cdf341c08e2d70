"""The native backend: the compiled kernels."""
