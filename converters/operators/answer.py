"""What a model computes from its logits at the end: a packed one leaves it out.

That is Softmax or ArgMax, and Sigmoid of a single logit. The runtime ranks logits itself, so the
answer is the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from bnas_deploy.converters.operators.model import OperatorModel, OperatorNode

__all__ = ["without_answer"]

Model = TypeVar("Model", bound=OperatorModel)

NEW_SOFTMAX = 13
"""The opset from which on Softmax works along the last axis if none is named."""

_ENDS = {"Softmax", "LogSoftmax", "ArgMax"}
_AROUND = {"Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose"}


def without_answer(model: Model) -> tuple[Model, tuple[str, ...]]:
    """Return the model up to its logits, and notes on what was left out behind them."""
    makers = {name: node for node in model.nodes for name in node.outputs}
    name, logits = model.output, ""
    ends: list[str] = []
    while (node := makers.get(name)) is not None and not node.domain:
        if (node.op in _ENDS and _over_classes(node, model)) or _of_one_logit(node, model):
            logits = node.inputs[0]
            ends.insert(0, node.op)
        elif node.op not in _AROUND:
            break
        name = node.inputs[0]
    if not ends:
        return model, ()
    note = f"{' and '.join(ends)} behind the logits: left out, as the answer is the same without"
    return replace(model, output=logits), (note,)


def _of_one_logit(node: OperatorNode, model: OperatorModel) -> bool:
    dims = model.shapes.get(node.inputs[0])
    return node.op == "Sigmoid" and dims is not None and all(extent == 1 for extent in dims)


def _over_classes(node: OperatorNode, model: OperatorModel) -> bool:
    """Whether it works along the classes: the one axis behind the batch that is longer than 1."""
    dims = model.shapes.get(node.inputs[0])
    if dims is None or node.attributes.get("select_last_index", 0):
        return False
    old = node.op != "ArgMax" and model.opset < NEW_SOFTMAX  # over all axes from this one on
    default = 0 if node.op == "ArgMax" else 1 if old else -1
    axis = node.attributes.get("axis", default) % (len(dims) + 1)
    rest = dims[: axis - 1] if old else dims[: axis - 1] + dims[axis:]
    return axis > 0 and all(extent == 1 for extent in rest)
