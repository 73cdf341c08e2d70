"""A model of operators as a graph, node by node, or the list of all that stands in the way.

The rules of operators are in `rules/`, a file per kind of operator; what does not depend on the
image is in `known`.
After an obstacle the import goes on with an unknown value of the right shape, so that one run finds
every obstacle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bnas_deploy.converters.graph.builder import GraphBuilder
from bnas_deploy.converters.graph.model_layer import ModelLayer, Warned
from bnas_deploy.converters.graph.nodes import Array, Graph
from bnas_deploy.converters.operators.assign import without_assignments
from bnas_deploy.converters.operators.bounds import with_bounds
from bnas_deploy.converters.operators.known import Known, Varying, with_batch_named
from bnas_deploy.converters.operators.model import OperatorModel, OperatorNode
from bnas_deploy.converters.operators.places import places
from bnas_deploy.converters.operators.rules.arrange import as_image
from bnas_deploy.converters.operators.rules.table import REMEDIES, REMEDY, RULES, Rule
from bnas_deploy.converters.operators.unknown import unknown_values
from bnas_deploy.converters.signs.binary_layers import floats
from bnas_deploy.converters.signs.flow import Flow
from bnas_deploy.converters.signs.found import FloatLayer
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.lost import lost_signs
from bnas_deploy.converters.signs.obstacles import CannotConvert, Obstacle, Refusal
from bnas_deploy.converters.signs.order import channels_last
from bnas_deploy.errors import ConversionError, PassError, UsageError

__all__ = ["MISFITS", "SIGN_ZERO", "Imported", "operator_graph"]

Results = list[Flow | Array | Varying | None]

SIGN_ZERO = ("auto", "exact", "plus")
"""What Sign(0) = 0 becomes: see docs/onnx.md."""


@dataclass(frozen=True)
class Imported:
    """A graph with what was noticed on the way.

    Attributes:
        graph: For the passes.
        float_layers: Convolutions and linear layers in full precision.
        layers: All layers of weights, binary and not, in the model's order.
        notes: What people should know.
        warnings: What they must know.
        places: Where in the graph lies what a node of the model makes, by the node's name.
    """

    graph: Graph
    float_layers: tuple[FloatLayer, ...]
    layers: tuple[ModelLayer, ...]
    notes: tuple[str, ...]
    warnings: tuple[Warned, ...]
    places: Mapping[str, Flow]


def operator_graph(
    source: OperatorModel, name: str, *, allow_float: bool = False, sign_zero: str = "auto"
) -> Imported:
    """Return the graph of a model.

    Args:
        source: From a front end.
        name: Of the model, for the message.
        allow_float: Whether layers may stay in full precision.
        sign_zero: One of `SIGN_ZERO`.

    Raises:
        Refusal: With every obstacle: node, operator, reason, and what would help.
        UsageError: `sign_zero` is something else.
    """
    if sign_zero not in SIGN_ZERO:
        msg = f"sign_zero must be one of {', '.join(SIGN_ZERO)}; got {sign_zero!r}"
        raise UsageError(msg)
    build = GraphBuilder(source.image, source.input)
    imports = Importer(build, source.opset, source.batch, sign_zero)
    known = Known(source)
    imports.values[source.input] = Flow(
        source.input,
        source.image,
        source.dims,
        order=channels_last(source.image) if source.channels_last else (),
    )
    obstacles: list[tuple[Obstacle, set[str]]] = []
    nodes = _needed(source)
    for node in nodes:
        _import(imports, node, source, obstacles, known)
    output = _output(imports, source, obstacles, known)
    # What cancels is not needed, so that nothing in it stands in the way.
    needed = set(build.values) if output is None else build.needed(output)
    layers = tuple(layer for layer in imports.float_layers if layer.layer in needed)
    found = _standing(imports, obstacles, needed, hidden=output is None)
    if not allow_float:
        found += [_float_obstacle(layer) for layer in layers]
    order = {node.name: place for place, node in enumerate(source.nodes)}
    if found or output is None:
        raise Refusal(name, sorted(found, key=lambda o: order.get(o.node, len(order))))
    notes = tuple(text for text, about in imports.notes if about is None or about in needed)
    return Imported(
        build.graph(output, needed_only=True),
        float_layers=layers,
        layers=tuple(sorted(imports.layers(needed), key=lambda layer: order[layer.name])),
        notes=notes,
        warnings=lost_signs(layers),
        places=places(nodes, imports.values, needed),
    )


def _standing(
    imports: Importer,
    obstacles: list[tuple[Obstacle, set[str]]],
    needed: set[str],
    *,
    hidden: bool,
) -> list[Obstacle]:
    """The obstacles in what the output needs; all, where one hides what that is."""
    if not hidden and not needed & imports.unknown:
        return []
    hidden = hidden or any(value is None for value in imports.values.values())
    return [obstacle for obstacle, values in obstacles if hidden or values & needed]


def _needed(source: OperatorModel) -> list[OperatorNode]:
    """The nodes that the output depends on, in order."""
    wanted, kept = {source.output}, []
    nodes = without_assignments(source.nodes, source.constants)
    for node in reversed(with_bounds(nodes, source.constants)):
        if wanted.intersection(node.outputs):
            wanted.update(node.inputs)
            kept.append(node)
    return kept[::-1]


def _import(
    imports: Importer,
    node: OperatorNode,
    source: OperatorModel,
    obstacles: list[tuple[Obstacle, set[str]]],
    known: Known,
) -> None:
    read = [name for name in node.inputs if name]
    if not node.domain and all(name in known for name in read):
        known.add(node)
        return
    results: Results
    if any(name not in known and imports.values.get(name) is None for name in read):
        results = list(unknown_values(imports, node, source))  # an obstacle has hidden it
    else:
        try:
            rule = _rule(node)
            results = _converted(rule, imports, node, _inputs(imports, node, known))
        except (ConversionError, PassError) as error:
            results = list(unknown_values(imports, node, source))
            obstacles.append((_obstacle(node, error), _names(results)))
            if isinstance(error, CannotConvert) and error.rising is not None:
                imports.rising.update(dict.fromkeys(_names(results), error.rising))
    for name, value in zip(node.outputs, results, strict=False):
        if isinstance(value, (np.ndarray, Varying)):
            known.put(name, value)
        elif name:
            imports.values[name] = value


def _obstacle(node: OperatorNode, error: ConversionError) -> Obstacle:
    """Why a node cannot be converted: a rule says so, or the graph's own rules."""
    if isinstance(error, CannotConvert):
        return Obstacle(node.name, node.op, with_batch_named(error.reason), error.remedy)
    remedy = "check the model's shapes and weights"
    return Obstacle(node.name, node.op, with_batch_named(str(error)), remedy)


def _inputs(imports: Importer, node: OperatorNode, known: Known) -> list[Flow | Array | None]:
    """What a node reads; None where an optional input is left out."""
    known.compute([name for name in node.inputs if name in known])
    inputs = [
        _input(imports, known, name, shape=node.op in SHAPED) if name else None
        for name in node.inputs
    ]
    if not node.domain and node.op in REPEATED and imports.batch is not None:
        rank = max(len(x.dims) for x in inputs if isinstance(x, Flow)) + 1
        inputs = [_of_one_image(x, rank) if isinstance(x, np.ndarray) else x for x in inputs]
    return inputs


def _input(imports: Importer, known: Known, name: str, *, shape: bool) -> Flow | Array | None:
    return known.array(name, shape=shape) if name in known else imports.values[name]


SHAPED = {"Expand", "Reshape"}
"""What reads a shape, in which the size of the batch may stand."""

REPEATED = {
    "Add", "Concat", "Div", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max",
    "Min", "Mul", "Pow", "PRelu", "Sub", "Sum", "Where",
}  # fmt: skip
"""What may read a constant that is laid out for each image of a batch of fixed size."""


def _of_one_image(constant: Array, rank: int) -> Array:
    """The first of the images that a constant is laid out for, if it is the same for all."""
    alike = constant.ndim == rank and bool((constant == constant[:1]).all())
    return constant[:1] if alike else constant


def _rule(node: OperatorNode) -> Rule:
    if node.refused is not None:
        raise CannotConvert(*node.refused)
    rule = RULES.get(node.op) if not node.domain else None
    if rule is None:
        domain = f" of the domain {node.domain!r}" if node.domain else ""
        msg = f"this operator{domain} is not understood"
        raise CannotConvert(msg, REMEDIES.get(node.op, REMEDY))
    return rule


def _converted(rule: Rule, imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Results:
    try:
        result = rule(imports, node, inputs)
    except MISFITS as error:
        msg = f"its inputs or attributes do not fit: {error}"
        raise CannotConvert(msg, "check it") from error
    return list(result) if isinstance(result, list) else [result]


MISFITS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
)
"""What a rule raises where inputs or attributes are not those of its operator."""


def _names(results: Results) -> set[str]:
    """The graph's values of unknown results."""
    return {x.name for x in results if isinstance(x, Flow)}


def _output(
    imports: Importer,
    source: OperatorModel,
    obstacles: list[tuple[Obstacle, set[str]]],
    known: Known,
) -> str | None:
    """The graph's value of the logits; None where an obstacle hides it."""
    result = imports.values.get(source.output)
    if result is None and source.output not in known:
        return None
    try:
        return _logits(imports, imports.flow(result, "the output"), source)
    except CannotConvert as error:
        obstacle = Obstacle(source.output, "output", error.reason, error.remedy)
        obstacles.append((obstacle, set()))
        return None


def _logits(imports: Importer, result: Flow, source: OperatorModel) -> str:
    if len(result.dims) == 1 and (result.order or result.shape[1:] != (1, 1)):
        result = as_image(imports, result, source.output)
    if result.shape[1:] != (1, 1) or result.name == source.input:
        msg = f"the output has shape (N, {list(result.dims)})"
        raise CannotConvert(msg, "one logit a class is expected")
    return floats(imports, result, source.output).name


def _float_obstacle(layer: FloatLayer) -> Obstacle:
    reason = f"would run in full precision: {layer.reason}"
    return Obstacle(layer.node, layer.op, reason, "binarize it, or pass --allow-float")
