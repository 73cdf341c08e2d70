"""How each operation of a graph or step of a program becomes ONNX operators: a file per kind.

A graph's nodes and a program's steps, seen as nodes (`packing.lift`), have the same rules. Binary
weights are initialisers of -1 and +1; a sign is Where(x >= 0, 1, -1), which knows no zero.
"""

from __future__ import annotations

from bnas_deploy.converters.to_onnx.rules.channels import CHANNEL_RULES
from bnas_deploy.converters.to_onnx.rules.convolutions import CONVOLUTION_RULES
from bnas_deploy.converters.to_onnx.rules.elementwise import ELEMENTWISE_RULES
from bnas_deploy.converters.to_onnx.rules.windows import WINDOW_RULES
from bnas_deploy.converters.to_onnx.writer import Rule

__all__ = ["RULES"]

RULES: dict[str, Rule] = {
    **CONVOLUTION_RULES,
    **WINDOW_RULES,
    **ELEMENTWISE_RULES,
    **CHANNEL_RULES,
}
