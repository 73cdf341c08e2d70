"""Numbers of element types, as `Cast` names them (ONNX's TensorProto.DataType)."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ElementType"]


class ElementType(IntEnum):
    """The types of elements that the rules know."""

    FLOAT = 1
    UINT8 = 2
    INT8 = 3
    INT16 = 5
    INT32 = 6
    INT64 = 7
    BOOL = 9
    FLOAT16 = 10
    DOUBLE = 11
    BFLOAT16 = 16
