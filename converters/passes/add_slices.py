"""Turns additions into additions onto a slice, so that what a cell does not touch is not copied."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnas_deploy.converters.graph.nodes import Array, Graph, Node
from bnas_deploy.converters.passes.base import Pass

__all__ = ["AddSlices"]

_JOINING = {"concat", "select_channels"}


@dataclass(frozen=True)
class _Slice:
    """Channels `channels` (ascending by one) of `value` are added at `at`."""

    value: str
    channels: Array
    at: int


class AddSlices(Pass):
    """add(x, y) becomes a chain of add_slice.

    1. Where one side is a concat or select_channels: each of its parts is added onto the other side
       where it belongs. The side that more nodes read, else the earlier one, is the one added onto.
       Not a select_channels that repeats channels: writing it once is less work than adding it.
    2. Else y is added onto x whole. A convolution that nobody else reads is y, so that it can write
       its output straight onto x (`fuse_residual`); of two, the later one.
    """

    name = "add_slices"
    absent_before = frozenset({"binary_conv", "binary_depthwise"})
    absent_after = frozenset({"add"})

    def rewrite(self, graph: Graph) -> Graph:
        """Replace each addition; the joined values stay for their other readers, if any."""
        nodes: list[Node] = []
        for node in graph.nodes:
            nodes.extend(_chain(graph, node) if node.op == "add" else [node])
        joined = {name for n in graph.nodes if n.op in _JOINING for name in n.outputs}
        return _without_unread(graph.with_nodes(nodes), joined)


def _without_unread(graph: Graph, candidates: set[str]) -> Graph:
    needed, kept = {graph.output}, []
    for node in reversed(graph.nodes):
        if node.outputs[0] not in candidates or node.outputs[0] in needed:
            needed.update(node.inputs)
            kept.append(node)
    return graph.with_nodes(reversed(kept))


def _chain(graph: Graph, node: Node) -> list[Node]:
    base, addend = _sides(graph, node)
    slices = _slices(graph, addend) or [_Slice(addend, np.arange(graph.values[addend].shape[0]), 0)]
    nodes: list[Node] = []
    for number, part in enumerate(slices):
        last = number == len(slices) - 1
        output = node.output if last else f"{node.output}.{number}"
        source = part.value
        if len(part.channels) < graph.values[source].shape[0]:
            source = f"{output}.part"
            constants = {"index": part.channels.astype(np.int32)}
            nodes.append(Node("select_channels", source, (part.value,), (source,), {}, constants))
        name = node.name if last else f"{node.name}.{number}"
        nodes.append(Node("add_slice", name, (base, source), (output,), {"at": part.at}))
        base = output
    return nodes


def _sides(graph: Graph, node: Node) -> tuple[str, str]:
    """Which input is added onto, and which is added."""
    x, y = node.inputs

    def preference(value: str) -> tuple[bool, bool, int]:
        source = graph.producers.get(value)
        alone = graph.only_reader(value) is node
        if source is None or not alone:
            return False, False, -1 if source is None else graph.nodes.index(source)
        return _joins(source), source.op == "packed_conv", graph.nodes.index(source)

    return (y, x) if preference(x) > preference(y) else (x, y)


def _joins(node: Node) -> bool:
    """Whether a node's output is parts of other values, none of them twice."""
    if node.op != "select_channels":
        return node.op in _JOINING
    taken = node.constants["index"][node.constants["index"] >= 0]
    return len(np.unique(taken)) == len(taken)


def _slices(graph: Graph, value: str) -> list[_Slice]:
    """The parts of a concat or select_channels of one; empty if it is neither."""
    node = graph.producers.get(value)
    if node is None or not _joins(node):
        return []
    index = np.arange(graph.values[value].shape[0])
    if node.op == "select_channels":
        index = node.constants["index"]
        source = graph.producers.get(node.inputs[0])
        parts = source.inputs if source is not None and source.op == "concat" else node.inputs
    else:
        parts = node.inputs
    found, start = [], 0
    for part in parts:
        count = graph.values[part].shape[0]
        found += _runs(part, index, start, start + count)
        start += count
    return sorted(found, key=lambda s: s.at)


def _runs(part: str, index: Array, start: int, stop: int) -> list[_Slice]:
    """Stretches of `index` that count up by one within start to stop, where `part` lies."""
    places = np.flatnonzero((index >= start) & (index < stop))
    if not len(places):
        return []
    breaks = np.flatnonzero((np.diff(places) != 1) | (np.diff(index[places]) != 1)) + 1
    return [_Slice(part, index[run] - start, int(run[0])) for run in np.split(places, breaks)]
