"""The steps of a packed program, one frozen dataclass each: fields, version, rule, cost.

`docs/format.md` gives the meaning of every step. What a field holds is said by its type, one of
those in `fields`.
"""

from __future__ import annotations

from bnas_deploy.format.fields import Padding, Pair
from bnas_deploy.format.steps.binary_convs import (
    DOT_LIMIT,
    BinaryConv2d,
    BinaryConvolution,
    BinaryDepthwiseConv2d,
    BinaryGroupedConv2d,
)
from bnas_deploy.format.steps.channels import AddSlice, Concat, MeanMagnitude, SelectChannels
from bnas_deploy.format.steps.elementwise import (
    Affine,
    Binarize,
    Clip,
    Constant,
    HardSigmoid,
    Multiply,
    Prelu,
    Relu,
    Sigmoid,
)
from bnas_deploy.format.steps.float_layers import Conv2d, GroupedConv2d, Linear, QuantizedConv2d
from bnas_deploy.format.steps.pools import AvgPool2d, BinaryMaxPool2d, GlobalAvgPool, MaxPool2d
from bnas_deploy.format.steps.stages import (
    STAGES,
    AffineStage,
    FloatStage,
    OutputStage,
    ScaleStage,
    Stage,
    ThresholdStage,
)
from bnas_deploy.format.steps.step import STEPS, Step
from bnas_deploy.format.steps.windows import Window, window_extent

__all__ = [
    "DOT_LIMIT",
    "STAGES",
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
    "FloatStage",
    "GlobalAvgPool",
    "GroupedConv2d",
    "HardSigmoid",
    "Linear",
    "MaxPool2d",
    "MeanMagnitude",
    "Multiply",
    "OutputStage",
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
    "Window",
    "window_extent",
]
