"""Assignments in place, y[mask] = number, as the choice that they are.

PyTorch's exporter from `torch.export` writes ScatterND(y, Transpose(NonZero(mask)), number repeated
as often as the mask holds); Where(mask, number, y) is the same. Those of constants are computed as
they stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.model import OperatorNode

__all__ = ["without_assignments"]

_REPEATS = ("Cast", "Expand", "Identity", "Reshape", "Unsqueeze")


def without_assignments(
    nodes: Sequence[OperatorNode], constants: Mapping[str, Array]
) -> tuple[OperatorNode, ...]:
    """Return the nodes with every assignment of one number as a choice.

    Args:
        nodes: Of a model, in an order in which they can run.
        constants: Its initialisers.
    """
    makers = {name: node for node in nodes for name in node.outputs if name}
    still = set(constants)
    for node in nodes:
        if all(name in still for name in node.inputs if name):
            still.update(node.outputs)
    return tuple(
        node if still.issuperset(node.outputs) else _choice(node, makers, constants)
        for node in nodes
    )


def _choice(
    node: OperatorNode, makers: Mapping[str, OperatorNode], constants: Mapping[str, Array]
) -> OperatorNode:
    if node.domain or node.op != "ScatterND" or node.attributes.get("reduction", "none") != "none":
        return node
    data, indices, updates = node.inputs
    transposed = makers.get(indices)
    places = makers.get(transposed.inputs[0]) if transposed is not None else None
    number = _number(updates, makers, constants)
    if (
        transposed is None
        or transposed.op != "Transpose"
        or transposed.attributes.get("perm") != (1, 0)
    ):
        return node
    if places is None or places.op != "NonZero" or number is None:
        return node
    return replace(node, op="Where", inputs=(places.inputs[0], number, data), attributes={})


def _number(
    name: str, makers: Mapping[str, OperatorNode], constants: Mapping[str, Array]
) -> str | None:
    """The constant of one element that a value repeats; None if there is none."""
    node = makers.get(name)
    while node is not None and node.op in _REPEATS:
        name = node.inputs[0]
        node = makers.get(name)
    value = constants.get(name)
    if node is not None and node.op == "Constant":
        value = np.asarray(next(iter(node.attributes.values())))
    return name if value is not None and value.size == 1 else None
