"""The steps of a packed program, one frozen dataclass each; not their execution or validation.

`docs/format.md` gives the meaning of every step. Fields of type ``str`` named ``input``,
``output``, ``addend``, ``factor`` (and ``inputs``) name values; fields in a class's ``TENSORS``
name tensors of the file. Tensor fields may be None where the specification says optional.

Shapes: C channels in, O channels out, H W pixels, K = kh*kw*C bits a row, W = words a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, get_args

from bnas_deploy.format.steps_binary import (
    AffineStage,
    BinaryConv2d,
    BinaryConvolution,
    BinaryDepthwiseConv2d,
    BinaryGroupedConv2d,
    Padding,
    Pair,
    ScaleStage,
    Stage,
    ThresholdStage,
)
from bnas_deploy.format.steps_elementwise import (
    Affine,
    Clip,
    Constant,
    Multiply,
    Prelu,
    Relu,
    Sigmoid,
)

__all__ = [
    "STEPS",
    "AddSlice",
    "Affine",
    "AffineStage",
    "AvgPool2d",
    "Binarize",
    "BinaryConv2d",
    "BinaryConvolution",
    "BinaryDepthwiseConv2d",
    "BinaryGroupedConv2d",
    "BinaryMaxPool2d",
    "Clip",
    "Concat",
    "Constant",
    "Conv2d",
    "GlobalAvgPool",
    "GroupedConv2d",
    "Linear",
    "MaxPool2d",
    "MeanMagnitude",
    "Multiply",
    "Padding",
    "Pair",
    "Prelu",
    "QuantizedConv2d",
    "Relu",
    "ScaleStage",
    "SelectChannels",
    "Sigmoid",
    "Stage",
    "Step",
    "ThresholdStage",
    "Windowed",
]


@dataclass(frozen=True)
class Conv2d:
    """Float convolution (O, C, kh, kw) with optional bias (O,) and activation, FMA in order."""

    OP: ClassVar[str] = "conv2d"
    TENSORS: ClassVar[tuple[str, ...]] = ("weight", "bias")
    input: str
    output: str
    weight: str
    bias: str | None
    stride: Pair
    padding: Padding
    dilation: Pair
    activation: str  # "none" or "relu"


@dataclass(frozen=True)
class GroupedConv2d:
    """Float convolution in groups, (O, C/groups, kh, kw): as `Conv2d` on each group's channels."""

    OP: ClassVar[str] = "grouped_conv2d"
    TENSORS: ClassVar[tuple[str, ...]] = ("weight", "bias")
    input: str
    output: str
    weight: str
    bias: str | None
    groups: int
    stride: Pair
    padding: Padding
    dilation: Pair
    activation: str  # "none" or "relu"


@dataclass(frozen=True)
class Binarize:
    """Float to bits: positive iff ``(x >= threshold[c]) != flip[c]`` (BatchNorm and sign)."""

    OP: ClassVar[str] = "binarize"
    TENSORS: ClassVar[tuple[str, ...]] = ("threshold", "flip")
    input: str
    output: str
    threshold: str
    flip: str


@dataclass(frozen=True)
class QuantizedConv2d:
    """Full-precision convolution in 8 bits: weights -127..127, inputs quantised to 0..127."""

    OP: ClassVar[str] = "quantized_conv2d"
    TENSORS: ClassVar[tuple[str, ...]] = (
        "weight", "offset", "scale", "input_scale", "input_zero",
    )  # fmt: skip
    input: str
    output: str
    weight: str  # int8 (O, C, kh, kw)
    offset: str  # int32 (O,): bias and zero points
    scale: str  # float32 (O,): of one unit of the integer sum
    input_scale: str  # float32 (C,): steps a unit of the input
    input_zero: str  # float32 (C,): the step that an input of 0 falls on
    stride: Pair
    padding: Padding
    dilation: Pair
    activation: str  # "none" or "relu"


@dataclass(frozen=True)
class MaxPool2d:
    """Maximum over each window; positions outside the image do not take part."""

    OP: ClassVar[str] = "max_pool2d"
    TENSORS: ClassVar[tuple[str, ...]] = ()
    input: str
    output: str
    kernel: Pair
    stride: Pair
    padding: Padding


@dataclass(frozen=True)
class BinaryMaxPool2d:
    """Greatest sign of each window, or the least in channels whose bit of `minimum` is set."""

    OP: ClassVar[str] = "binary_max_pool2d"
    TENSORS: ClassVar[tuple[str, ...]] = ("minimum",)
    input: str
    output: str
    minimum: str | None  # packed bits (C,)
    kernel: Pair
    stride: Pair
    padding: Padding


@dataclass(frozen=True)
class AvgPool2d:
    """Mean over each window; positions outside the image are not counted."""

    OP: ClassVar[str] = "avg_pool2d"
    TENSORS: ClassVar[tuple[str, ...]] = ()
    input: str
    output: str
    kernel: Pair
    stride: Pair
    padding: Padding


@dataclass(frozen=True)
class AddSlice:
    """``y = x`` with ``addend`` (of c channels) added to channels ``at .. at + c - 1``."""

    OP: ClassVar[str] = "add_slice"
    TENSORS: ClassVar[tuple[str, ...]] = ()
    input: str
    addend: str
    output: str
    at: int


@dataclass(frozen=True)
class MeanMagnitude:
    """Mean over the channels of ``|x * scale[c] + shift[c]|``, one channel out (XNOR-Net's K)."""

    OP: ClassVar[str] = "mean_magnitude"
    TENSORS: ClassVar[tuple[str, ...]] = ("scale", "shift", "terms")
    input: str
    output: str
    scale: str
    shift: str
    terms: str  # float32 (2,): factor of the sum, and what is added to it


@dataclass(frozen=True)
class Concat:
    """Concatenation along the channels."""

    OP: ClassVar[str] = "concat"
    TENSORS: ClassVar[tuple[str, ...]] = ()
    inputs: tuple[str, ...]
    output: str


@dataclass(frozen=True)
class SelectChannels:
    """``y[c] = x[index[c]]``, or zero where ``index[c]`` is -1."""

    OP: ClassVar[str] = "select_channels"
    TENSORS: ClassVar[tuple[str, ...]] = ("index",)
    input: str
    output: str
    index: str


@dataclass(frozen=True)
class GlobalAvgPool:
    """Mean over all pixels of a channel, in the order that docs/format.md fixes."""

    OP: ClassVar[str] = "global_avg_pool"
    TENSORS: ClassVar[tuple[str, ...]] = ()
    input: str
    output: str


@dataclass(frozen=True)
class Linear:
    """Full-precision linear layer: weight (O, K), bias (O,), on a value of K = C*H*W elements."""

    OP: ClassVar[str] = "linear"
    TENSORS: ClassVar[tuple[str, ...]] = ("weight", "bias")
    input: str
    output: str
    weight: str
    bias: str | None


Windowed = (
    Conv2d
    | GroupedConv2d
    | BinaryConvolution
    | QuantizedConv2d
    | MaxPool2d
    | BinaryMaxPool2d
    | AvgPool2d
)
"""Steps that read windows of pixels."""

Step = (
    Affine
    | Relu
    | Prelu
    | Clip
    | Sigmoid
    | Constant
    | Conv2d
    | GroupedConv2d
    | Binarize
    | BinaryConv2d
    | BinaryGroupedConv2d
    | BinaryDepthwiseConv2d
    | QuantizedConv2d
    | MaxPool2d
    | BinaryMaxPool2d
    | AvgPool2d
    | AddSlice
    | MeanMagnitude
    | Multiply
    | Concat
    | SelectChannels
    | GlobalAvgPool
    | Linear
)

STEPS: dict[str, type[Step]] = {cls.OP: cls for cls in get_args(Step)}
