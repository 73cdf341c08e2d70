"""Values that stand for what was not understood, so that an import finds every obstacle."""

from __future__ import annotations

from bnas_deploy.converters.graph import ops
from bnas_deploy.converters.graph.nodes import Node
from bnas_deploy.converters.operators.model import OperatorModel, OperatorNode
from bnas_deploy.converters.signs.flow import Flow
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.order import Order, channels_last

__all__ = ["unknown_values"]


def unknown_values(
    imports: Importer, node: OperatorNode, source: OperatorModel
) -> list[Flow | None]:
    """Values of the shapes that inference found, to go on with; None where it found none."""
    results: list[Flow | None] = []
    given = [imports.values.get(name) for name in node.inputs]
    inputs = tuple(x.name for x in given if isinstance(x, Flow))
    for name in node.outputs:
        dims = source.shapes.get(name)
        if not name or dims is None or len(dims) not in (1, 3):
            results.append(None)
            continue
        alike = [x for x in given if isinstance(x, Flow) and x.dims == dims and not any(x.pads)]
        shape, order = _placed(dims, last=source.inferred_last)
        like = alike[0] if alike else Flow("", shape, dims, order=order)
        value = imports.fresh(f"{node.name}.unknown")
        unknown = Node("unknown", value, inputs, (value,))
        imports.build.append(unknown, ops.Value(ops.F32, like.shape))
        imports.unknown.add(value)
        results.append(like.of(value))
    return results


def _placed(dims: tuple[int, ...], *, last: bool) -> tuple[tuple[int, int, int], Order]:
    """(C, H, W) of a value of one axis or three, and how its elements lie in it."""
    if len(dims) == 1:
        return (dims[0], 1, 1), ()
    a, b, c = dims
    return ((c, a, b), channels_last((c, a, b))) if last else ((a, b, c), ())
