"""Where(x > c, c, x), as Brevitas and others write a clamp, as the Min or Max that it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.model import OperatorNode

__all__ = ["with_bounds"]

_ABOVE = {"Greater", "GreaterOrEqual"}
_BELOW = {"Less", "LessOrEqual"}


def with_bounds(
    nodes: Sequence[OperatorNode], constants: Mapping[str, Array]
) -> tuple[OperatorNode, ...]:
    """Return the nodes with every choice between a value and its own bound as a Min or Max.

    Args:
        nodes: Of a model.
        constants: Its initialisers.
    """
    makers = {name: node for node in nodes for name in node.outputs if name}
    return tuple(_bounded(node, makers, constants) for node in nodes)


def _bounded(
    node: OperatorNode, makers: Mapping[str, OperatorNode], constants: Mapping[str, Array]
) -> OperatorNode:
    if node.domain or node.op != "Where":
        return node
    condition, yes, no = node.inputs
    compare = makers.get(condition)
    if compare is None or compare.domain or compare.op not in _ABOVE | _BELOW:
        return node
    above = compare.op in _ABOVE  # whether `first` is the greater one where `yes` is chosen
    first, second = compare.inputs
    if _same(yes, first, constants) and _same(no, second, constants):
        return replace(node, op="Max" if above else "Min", inputs=(first, second))
    if _same(yes, second, constants) and _same(no, first, constants):
        return replace(node, op="Min" if above else "Max", inputs=(first, second))
    return node


def _same(a: str, b: str, constants: Mapping[str, Array]) -> bool:
    """Whether two names stand for one value, or for one number."""
    if a == b:
        return True
    x, y = constants.get(a), constants.get(b)
    return x is not None and y is not None and x.size == y.size == 1 and bool(x.item() == y.item())
