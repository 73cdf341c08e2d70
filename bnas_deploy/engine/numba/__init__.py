"""The Numba backend: vector code without a C++ compiler, with the reference's bits."""
