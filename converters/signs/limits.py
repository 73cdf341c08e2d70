"""How large what an ONNX model states or makes may be, so that none fills memory.

The limits of files are in `from_onnx.read`, `from_onnx.external` and `from_onnx.metadata`.
"""

from __future__ import annotations

__all__ = ["ARRAY_LIMIT", "EXTENT_LIMIT", "VALUE_LIMIT", "WEIGHT_LIMIT"]

EXTENT_LIMIT = 65_536
"""Of an axis, a kernel, a stride, a dilation or padding, in elements; as in the format."""

ARRAY_LIMIT = 2**28
"""Elements of an image, of a value whose shape is inferred, and of a constant that is computed."""

WEIGHT_LIMIT = 2**26
"""Weights of a layer after bases are split and groups are filled up with zeros."""

VALUE_LIMIT = 2**30
"""Elements of a value of the program; as in the format."""
