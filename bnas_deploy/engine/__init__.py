"""What runs a packed program: the reference, Numba and native backends; not the file format."""

from __future__ import annotations
