"""What kind of work a step is, why it is not binary, and what would help, in a few words."""

from __future__ import annotations

from bnas_deploy.cost.float_layers import float_layers
from bnas_deploy.format import PackedModel
from bnas_deploy.format.steps import (
    Binarize,
    BinaryConvolution,
    BinaryMaxPool2d,
    Constant,
    Conv2d,
    GroupedConv2d,
    QuantizedConv2d,
    Step,
)

__all__ = ["reasons"]

_LAYERS = {
    "stem": "a float32 convolution of the image, whose values are not signs",
    "shortcut": "a float32 convolution, as its input or its weights are not signs",
    "classifier": "a float32 linear layer, as its input or its weights are not signs",
}
_OTHERS = {
    BinaryConvolution: "a binary convolution",
    QuantizedConv2d: "an 8-bit convolution",
    GroupedConv2d: "a float32 convolution in groups, as its input or its weights are not signs; "
    "it has no 8-bit step",
    Conv2d: "a float32 filter of a binary layer's activation scale",
    Binarize: "signs of float32 values",
    BinaryMaxPool2d: "a pool of signs",
    Constant: "written once, when a thread begins",
}


def reasons(model: PackedModel) -> tuple[str, ...]:
    """For each step: what kind of work it is, why it is not binary, and what would help."""
    kinds = float_layers(model.program)
    return tuple(
        _of_layer(kinds[i]) if i in kinds else _of_step(step)
        for i, step in enumerate(model.program.steps)
    )


def _of_layer(kind: str) -> str:
    return f"{_LAYERS[kind]}; converting with --eight-bit {kind} makes it an 8-bit step"


def _of_step(step: Step) -> str:
    plain = "an operation on float32 values, which memory limits rather than arithmetic"
    return next((text for cls, text in _OTHERS.items() if isinstance(step, cls)), plain)
