"""Finds the layer where a graph and the original part, each layer given the original's own inputs.

A sign that flips within rounding of its threshold moves all that follows, so the first value that
differs says little. Given the same inputs, every layer must agree to roundings, and one that does
not is wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bnas_deploy.converters.graph.evaluate import evaluate_node
from bnas_deploy.converters.graph.nodes import Array, Graph, Node
from bnas_deploy.converters.packing.source import Original

__all__ = ["Parting", "first_parting"]

Floats = npt.NDArray[np.float32]

TOLERANCE = 5e-5
"""Of a layer's largest value: sums in another order stay below, one sign of 2,000 does not."""

NEAR = 1e-5
"""Of the largest value: what is nearer to a threshold may lie on either side of it."""


@dataclass(frozen=True)
class Parting:
    """A layer that gives something else than the original, from the same inputs.

    Attributes:
        layer: By the name that the user's model has.
        difference: The largest, as a part of the layer's largest value.
        zeros: Of the signs that it reads, in the worst image, the share that are of exactly 0, if
            these explain it; else 0.
    """

    layer: str
    difference: float
    zeros: float = 0.0


@dataclass(frozen=True)
class _Known:
    """What the original gives of a layer."""

    layer: str
    array: Array


def first_parting(graph: Graph, original: Original, images: Floats) -> Parting | None:
    """Return the first layer that differs by more than roundings; None if none does.

    Args:
        graph: Float meaning, before the passes.
        original: With the values inside it.
        images: (N, C, H, W); ordinary ones among them say how large values are.
    """
    known = _known(graph, original, images)
    values: dict[str, Array] = {graph.input: images}
    doubtful: dict[str, Array] = {}
    for node in graph.nodes:
        read = node.inputs
        outputs = evaluate_node(node, [values[name] for name in read] or [images])
        others = outputs
        if any(name in doubtful for name in read):
            others = evaluate_node(node, [doubtful.get(name, values[name]) for name in read])
        elif node.op == "sign" and read[0] not in known:
            others = (_flipped(outputs[0], values[read[0]]),)
        for name, made, other in zip(node.outputs, outputs, others, strict=True):
            values[name] = made
            if name in known:
                found = _parted(known[name], made, other)
                if found is not None:
                    return _explained(graph, known, values, name, found)
                values[name] = known[name].array
            elif other is not made and not np.array_equal(other, made):
                doubtful[name] = other
    return None


def _known(graph: Graph, original: Original, images: Floats) -> dict[str, _Known]:
    """What the original gives, its logits among them, by the graph's values."""
    assert original.inside is not None
    layers = {layer: v for layer, v in original.inside.layers.items() if v in graph.values}
    known: dict[str, _Known] = {}
    for layer, array in original.inside.run(images, list(layers)).items():
        value = layers[layer]
        if array.shape == (len(images), *graph.values[value].shape) and value != graph.input:
            known.setdefault(value, _Known(layer, array))
    last = next((layer for layer, value in layers.items() if value == graph.output), "the output")
    logits = original.logits(images)[:, :, None, None]
    return {**known, graph.output: _Known(last, logits)}


def _flipped(signs: Array, source: Array) -> Array:
    """Signs with those turned that lie within rounding of zero, and are not at zero."""
    near = (source != 0) & (np.abs(source) <= NEAR * np.abs(source).max())
    return np.where(near, -signs, signs) if near.any() else signs


def _parted(known: _Known, made: Array, other: Array) -> Parting | None:
    scale = float(np.abs(known.array).max()) or 1.0
    away = np.abs(made.astype(np.float64) - known.array)
    sure = np.abs(made - other) <= TOLERANCE * scale
    largest = float(np.where(sure, away, 0).max()) / scale
    return None if largest <= TOLERANCE else Parting(known.layer, largest)


def _explained(
    graph: Graph,
    known: Mapping[str, _Known],
    values: Mapping[str, Array],
    name: str,
    found: Parting,
) -> Parting:
    """The parting, with its zeros if a layer that takes Sign(0) for 0 agrees."""
    nodes = _segment(graph, known, name)
    signs = [node for node in nodes if node.op == "sign"]
    zeros = [float((values[node.inputs[0]] == 0).mean((1, 2, 3)).max()) for node in signs]
    if not any(zeros):
        return found
    again = dict(values)
    for node in nodes:
        changed = node.with_attributes(zero_sign=0) if node.op == "sign" else node
        made = evaluate_node(changed, [again[n] for n in node.inputs] or [values[graph.input]])
        again.update(zip(node.outputs, made, strict=True))
    agrees = _parted(known[name], again[name], again[name]) is None
    return Parting(found.layer, found.difference, max(zeros) if agrees else 0.0)


def _segment(graph: Graph, known: Collection[str], name: str) -> Sequence[Node]:
    """The nodes between what the original gives and one value, in order."""
    wanted, found = {name}, []
    for node in reversed(graph.nodes):
        if wanted.intersection(node.outputs):
            found.append(node)
            wanted.update(read for read in node.inputs if read not in known)
    return found[::-1]
