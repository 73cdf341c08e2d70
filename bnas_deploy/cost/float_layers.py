"""Which steps of a program are layers in full precision that 8 bits can take, and of which kind."""

from __future__ import annotations

from bnas_deploy.format.program import Program
from bnas_deploy.format.steps import Affine, Conv2d, Linear, Multiply, QuantizedConv2d, Relu

__all__ = ["float_layers"]


def float_layers(program: Program) -> dict[int, str]:
    """Kind of layer by index of the step: `stem`, `shortcut` or `classifier`.

    `stem` is a convolution behind the image or other stem layers, `shortcut` any other convolution,
    `classifier` a linear layer. The box filters of the activation scale are left out, as they have
    no weights worth a byte; so are convolutions in groups, which have no 8-bit step.
    """
    of_stem = {program.input}
    factors = {step.factor for step in program.steps if isinstance(step, Multiply)}
    kinds = {}
    for index, step in enumerate(program.steps):
        if isinstance(step, (Affine, Relu, Conv2d, QuantizedConv2d)) and step.input in of_stem:
            of_stem.add(step.output)
        if isinstance(step, Conv2d) and step.output not in factors:
            kinds[index] = "stem" if step.output in of_stem else "shortcut"
        elif isinstance(step, Linear):
            kinds[index] = "classifier"
    return kinds
