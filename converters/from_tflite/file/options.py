"""The options of operators: which of them are read, and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tflite
from flatbuffers import flexbuffers

__all__ = ["BUILTIN", "CUSTOM", "builtin_options", "custom_options"]

_ACTIVATION = ("FusedActivationFunction",)
_MOVES = ("Padding", "StrideH", "StrideW", *_ACTIVATION)
_DILATES = ("DilationHFactor", "DilationWFactor")
_POOL = ("Pool2DOptions", (*_MOVES, "FilterHeight", "FilterWidth"))
_REDUCER = ("ReducerOptions", ("KeepDims",))

BUILTIN: dict[str, tuple[str, tuple[str, ...]]] = {
    "ADD": ("AddOptions", _ACTIVATION),
    "AVERAGE_POOL_2D": _POOL,
    "BATCH_MATMUL": ("BatchMatMulOptions", ("AdjX", "AdjY")),
    "CONCATENATION": ("ConcatenationOptions", ("Axis", *_ACTIVATION)),
    "CONV_2D": ("Conv2DOptions", (*_MOVES, *_DILATES)),
    "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", (*_MOVES, *_DILATES)),
    "DEPTH_TO_SPACE": ("DepthToSpaceOptions", ("BlockSize",)),
    "DIV": ("DivOptions", _ACTIVATION),
    "FULLY_CONNECTED": (
        "FullyConnectedOptions", ("KeepNumDims", "WeightsFormat", *_ACTIVATION),
    ),
    "GATHER": ("GatherOptions", ("Axis", "BatchDims")),
    "LEAKY_RELU": ("LeakyReluOptions", ("Alpha",)),
    "MAX_POOL_2D": _POOL,
    "MEAN": _REDUCER,
    "MUL": ("MulOptions", _ACTIVATION),
    "REDUCE_MAX": _REDUCER,
    "REDUCE_MIN": _REDUCER,
    "SPACE_TO_DEPTH": ("SpaceToDepthOptions", ("BlockSize",)),
    "STRIDED_SLICE": (
        "StridedSliceOptions",
        ("BeginMask", "EndMask", "EllipsisMask", "NewAxisMask", "ShrinkAxisMask", "Offset"),
    ),
    "SUB": ("SubOptions", _ACTIVATION),
    "SUM": _REDUCER,
}  # fmt: skip
"""The class of an operator's options in the schema, and those that matter here."""

_MISSING = {"DilationHFactor": 1, "DilationWFactor": 1}
"""What an option is where the operator has none at all, if not 0."""

CUSTOM = {
    "LceBconv2d": (
        "channels_in", "dilation_height_factor", "dilation_width_factor",
        "fused_activation_function", "pad_values", "padding", "stride_height", "stride_width",
    ),
    "LceBMaxPool2d": (
        "filter_height", "filter_width", "padding", "stride_height", "stride_width",
    ),
}  # fmt: skip
"""The whole numbers in the options of larq's Compute Engine."""

CUSTOM_LIMIT = 4096
"""Bytes of a custom operator's options."""


def builtin_options(operator: tflite.Operator, op: str) -> Mapping[str, Any]:
    """Read the options of a builtin operator; empty where none matter.

    Raises:
        ValueError: They are another operator's.
    """
    if op not in BUILTIN:
        return {}
    kind, names = BUILTIN[op]
    table = operator.BuiltinOptions()
    if table is None:
        return {name: _MISSING.get(name, 0) for name in names}
    if operator.BuiltinOptionsType() != getattr(tflite.BuiltinOptions, kind):
        msg = f"{op} has another operator's options"
        raise ValueError(msg)
    options = getattr(tflite, kind)()
    options.Init(table.Bytes, table.Pos)
    return {name: getattr(options, name)() for name in names}


def custom_options(operator: tflite.Operator, op: str) -> Mapping[str, int]:
    """Read the options of a custom operator; empty for those that are not known.

    Raises:
        ValueError: One is missing, or is not a whole number.
    """
    if op not in CUSTOM:
        return {}
    if not 0 < operator.CustomOptionsLength() <= CUSTOM_LIMIT:
        msg = f"{op} has {operator.CustomOptionsLength():,} bytes of options"
        raise ValueError(msg)
    stored = flexbuffers.GetRoot(operator.CustomOptionsAsNumpy().tobytes()).AsMap
    found = {}
    for name in CUSTOM[op]:
        try:
            value = stored[name]
        except KeyError:
            value = None
        if value is None or not value.IsInt:
            msg = f"{op} lacks the whole number {name!r}: which version of the converter wrote it?"
            raise ValueError(msg)
        found[name] = value.AsInt
    return found
