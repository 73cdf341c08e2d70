"""The rules of all operators in one table, and what to do about those that have none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bnas_deploy.converters.operators.model import OperatorNode
from bnas_deploy.converters.operators.rules.activations import ACTIVATION_RULES
from bnas_deploy.converters.operators.rules.arithmetic import ARITHMETIC_RULES
from bnas_deploy.converters.operators.rules.curves import CURVE_RULES
from bnas_deploy.converters.operators.rules.elementwise import ELEMENTWISE_RULES
from bnas_deploy.converters.operators.rules.joins import JOIN_RULES
from bnas_deploy.converters.operators.rules.layers import LAYER_RULES
from bnas_deploy.converters.operators.rules.parts import PART_RULES
from bnas_deploy.converters.operators.rules.reductions import REDUCTION_RULES
from bnas_deploy.converters.operators.rules.views import VIEW_RULES
from bnas_deploy.converters.operators.rules.windows import POOL_RULES
from bnas_deploy.converters.signs.importer import Importer

__all__ = ["REMEDIES", "REMEDY", "RULES", "Rule"]

Rule = Callable[[Importer, OperatorNode, Sequence[Any]], Any]
RULES: dict[str, Rule] = {
    **LAYER_RULES,
    **POOL_RULES,
    **ACTIVATION_RULES,
    **CURVE_RULES,
    **ELEMENTWISE_RULES,
    **ARITHMETIC_RULES,
    **VIEW_RULES,
    **PART_RULES,
    **JOIN_RULES,
    **REDUCTION_RULES,
}
"""The standard operators that are understood where they read what depends on the image."""

REMEDIES = {
    "Softmax": "only at the end, over the classes, where it is left out",
    "LogSoftmax": "only at the end, over the classes, where it is left out",
    "ArgMax": "only at the end, over the classes, where it is left out",
    "TopK": "end the model with the logits",
    "QuantizeLinear": "one scale and zero point, of 8 or 16 bits, are understood",
    "DequantizeLinear": "only constants, and what QuantizeLinear made, are understood",
    "Quant": "one bit (BipolarQuant) or 8 and more are understood",
    "MultiThreshold": "only one threshold for each channel, with a bipolar result, is understood",
    "ConvTranspose": "use Conv",
    "GroupNormalization": "use BatchNormalization",
    "InstanceNormalization": "use BatchNormalization, also in place of GroupNorm",
    "LayerNormalization": "use BatchNormalization",
}
"""Help with operators that are known not to be understood."""

REMEDY = "leave it out of the model, or write it with the operators of docs/onnx.md"
"""Help with all others."""
