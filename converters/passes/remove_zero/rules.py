"""Removes Zeroise edges and channels that are the same for every image; exact at borders too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bnas_deploy.converters.graph.activations import ACTIVATIONS
from bnas_deploy.converters.graph.nodes import Array, Graph, Node
from bnas_deploy.converters.graph.numerics import batch_norm_terms
from bnas_deploy.converters.graph.ops import PACKED
from bnas_deploy.converters.passes.base import Pass
from bnas_deploy.converters.passes.remove_zero.channels import Channels, Rebuilt
from bnas_deploy.converters.passes.remove_zero.dead_inputs import binary_conv, conv, linear

__all__ = ["RemoveZero"]


class RemoveZero(Pass):
    """Follows known channels from the Zeroise edges forwards; a value keeps its live channels only.

    1. zero vanishes; add(x, 0) is x; a concat keeps its live parts; pools of zero are zero.
    2. A zero channel becomes a known number behind batch_norm, affine and activations, and +1 or
       -1 behind sign (0 where the sign of zero is 0).
    3. A binary_conv drops the weights of known channels and adds sign * weight to `fold` for each
       tap; a conv without padding adds them to its bias, one with padding drops zero channels and
       keeps others; a linear layer adds them to its bias.
    4. A binary_depthwise, a convolution in groups and a binary_max_pool keep known channels, of
       bits their signs: at borders the output is not the same everywhere. The value before the
       sign gets them back. A mean_magnitude adds them to its terms; multiply reads whole values.
    5. Where two values added have different live channels, select_channels lays them out alike.
    """

    name = "remove_zero"
    absent_before = frozenset({*PACKED, "binarize", "add_slice"})

    def rewrite(self, graph: Graph) -> Graph:
        """Rebuild the graph node by node."""
        new = Rebuilt(_dtype(graph))
        new.values[graph.input] = Channels.all_live(graph.input, graph.input_shape, new.dtype)
        for node in graph.nodes:
            new.values[node.output] = _RULES[node.op](graph, node, new)
        return graph.with_nodes(new.nodes, new.whole(graph.output, "output"))


def _dtype(graph: Graph) -> np.dtype[np.floating]:
    arrays = (array for node in graph.nodes for array in node.constants.values())
    return next((a.dtype for a in arrays if a.dtype.kind == "f"), np.dtype(np.float32))


def _zero(graph: Graph, node: Node, new: Rebuilt) -> Channels:
    channels, *size = node.attributes["shape"]
    return Channels.all_known(np.zeros(channels, new.dtype), (size[0], size[1]))


def _per_channel(
    known: Callable[[Node, Array], Array],
) -> Callable[[Graph, Node, Rebuilt], Channels]:
    """A rule for a node that works on each channel alone; `known` is its way with known numbers."""

    def rule(graph: Graph, node: Node, new: Rebuilt) -> Channels:
        x = new.values[node.inputs[0]]
        shape = graph.values[node.output].shape
        result = x.renamed(node.output, known(node, np.nan_to_num(x.known)), shape[1:])
        if x.name is not None:
            shared = ACTIVATIONS[node.op].shared if node.op in ACTIVATIONS else {}
            constants = {
                key: array if key in shared else array[x.live]
                for key, array in node.constants.items()
            }
            new.emit(replace(node, inputs=(x.name,), constants=constants))
        return result

    return rule


def _activated(node: Node, known: Array) -> Array:
    result: Array = ACTIVATIONS[node.op].function(known, **node.constants)
    return result


def _normalised(node: Node, known: Array) -> Array:
    alpha, beta = batch_norm_terms(**node.constants, eps=node.attributes["eps"])
    return np.asarray(known.astype(np.float64) * alpha + beta, known.dtype)


def _signed(node: Node, known: Array) -> Array:
    return np.where(known == 0, node.attributes["zero_sign"], np.where(known < 0, -1, 1))


def _sign(graph: Graph, node: Node, new: Rebuilt) -> Channels:
    x = new.values[node.inputs[0]]
    keeps = any(_needs_all(reader, x) for reader in graph.readers[node.output])
    if not (keeps and x.dead.any()):
        return _per_channel(_signed)(graph, node, new)
    new.emit(replace(node, inputs=(new.laid_out(x, np.arange(x.count), node.name),)))
    return Channels.all_live(node.output, graph.values[node.output].shape, new.dtype)


def _needs_all(node: Node, x: Channels) -> bool:
    return node.op in _NEED_ALL or _grouped(node, x)


def _grouped(node: Node, x: Channels) -> bool:
    """Whether a convolution has groups, which are equal parts of all channels."""
    weight = node.constants.get("weight")
    return node.op in ("conv", "binary_conv") and weight is not None and weight.shape[1] < x.count


def _mean_magnitude(graph: Graph, node: Node, new: Rebuilt) -> Channels:
    x = new.values[node.inputs[0]]
    scale, shift = node.constants["scale"], node.constants["shift"]
    factor, rest = node.constants["terms"].astype(np.float64)
    known = np.nan_to_num(x.known).astype(np.float64) * scale + shift
    rest = rest + factor * np.abs(known[x.dead]).sum()
    if x.name is None:
        return Channels.all_known(np.array([rest], new.dtype), x.size)
    narrow = replace(node, inputs=(x.name,)).with_constants(
        scale=scale[x.live],
        shift=shift[x.live],
        terms=np.array([factor, rest]).astype(scale.dtype),
    )
    new.emit(narrow)
    return Channels.all_live(node.output, graph.values[node.output].shape, new.dtype)


def _multiply(graph: Graph, node: Node, new: Rebuilt) -> Channels:
    inputs = tuple(
        new.laid_out(new.values[name], np.arange(new.values[name].count), f"{node.name}.{side}")
        for name, side in zip(node.inputs, ("x", "factor"), strict=True)
    )
    new.emit(replace(node, inputs=inputs))
    return Channels.all_live(node.output, graph.values[node.output].shape, new.dtype)


def _constant(graph: Graph, node: Node, new: Rebuilt) -> Channels:
    new.emit(node)
    return Channels.all_live(node.output, graph.values[node.output].shape, new.dtype)


def _unless_grouped(
    drop: Callable[[Node, Channels, Rebuilt], Node],
) -> Callable[[Node, Channels, Rebuilt], Node]:
    def rule(node: Node, x: Channels, new: Rebuilt) -> Node:
        if not _grouped(node, x):
            return drop(node, x, new)
        if node.op == "binary_conv":
            return _whole(node, x, new)
        return replace(node, inputs=(new.laid_out(x, np.arange(x.count), node.name),))

    return rule


def _whole(node: Node, x: Channels, new: Rebuilt) -> Node:
    assert x.name is not None  # `_sign` has seen to it
    return replace(node, inputs=(x.name,))


def _affine(graph: Graph, node: Node, new: Rebuilt) -> Channels:
    x = new.values[node.inputs[0]]
    scale, shift = node.constants["scale"], node.constants["shift"]
    if x.name is not None and (scale[x.live] == 1).all() and (shift[x.live] == 0).all():
        return x.renamed(x.name, np.nan_to_num(x.known) * scale + shift)
    return _per_channel(lambda _, known: known * scale + shift)(graph, node, new)


def _add(graph: Graph, node: Node, new: Rebuilt) -> Channels:
    a, b = (new.values[name] for name in node.inputs)
    for x, other in ((a, b), (b, a)):
        if x.name is None and not x.known.any():
            return other
    dead = a.dead & b.dead
    known = np.where(dead, a.known + b.known, np.nan).astype(new.dtype)
    live = np.flatnonzero(~dead)
    if not len(live):
        return Channels.all_known(known, a.size)
    inputs = tuple(new.laid_out(x, live, f"{node.name}.{side}") for x, side in ((a, "a"), (b, "b")))
    return Channels(new.emit(replace(node, inputs=inputs)), live, known, a.size)


def _concat(graph: Graph, node: Node, new: Rebuilt) -> Channels:
    parts = [new.values[name] for name in node.inputs]
    known = np.concatenate([part.known for part in parts])
    live = np.flatnonzero(np.isnan(known))
    names = tuple(part.name for part in parts if part.name is not None)
    if len(names) > 1:
        names = (new.emit(replace(node, inputs=names)),)
    return Channels(names[0] if names else None, live, known, parts[0].size)


def _select(graph: Graph, node: Node, new: Rebuilt) -> Channels:
    x, index = new.values[node.inputs[0]], node.constants["index"]
    known = np.where(index < 0, 0, x.known[index]).astype(new.dtype)
    live = np.flatnonzero(np.isnan(known))
    if not len(live) or x.name is None:
        return Channels.all_known(known, x.size)
    where = np.searchsorted(x.live, index[live]).astype(np.int32)
    if np.array_equal(where, np.arange(len(x.live))):
        return Channels(x.name, live, known, x.size)
    select = replace(node, inputs=(x.name,)).with_constants(index=where)
    return Channels(new.emit(select), live, known, x.size)


def _consumer(drop: Callable[[Node, Channels, Rebuilt], Node]) -> Callable[..., Channels]:
    """A rule for a node that mixes all its input's channels; its own output is live."""

    def rule(graph: Graph, node: Node, new: Rebuilt) -> Channels:
        new.emit(drop(node, new.values[node.inputs[0]], new))
        return Channels.all_live(node.output, graph.values[node.output].shape, new.dtype)

    return rule


_NEED_ALL = ("binary_depthwise", "binary_max_pool")
_SAME = _per_channel(lambda node, known: known)

_RULES: dict[str, Callable[[Graph, Node, Rebuilt], Channels]] = {
    "zero": _zero,
    "batch_norm": _per_channel(_normalised),
    "affine": _affine,
    **dict.fromkeys(ACTIVATIONS, _per_channel(_activated)),
    "sign": _sign,
    "bits_to_float": _SAME,
    "max_pool": _SAME,
    "avg_pool": _SAME,
    "global_avg_pool": _SAME,
    "add": _add,
    "concat": _concat,
    "select_channels": _select,
    "constant": _constant,
    "conv": _consumer(_unless_grouped(conv)),
    "binary_conv": _consumer(_unless_grouped(binary_conv)),
    "binary_max_pool": _consumer(_whole),
    "binary_depthwise": _consumer(_whole),
    "linear": _consumer(linear),
    "mean_magnitude": _mean_magnitude,
    "multiply": _multiply,
}
