"""Whether a value can be exactly zero, as ONNX's Sign(0) = 0 is neither +1 nor -1; no rewriting.

A float that is computed from pixels by real weights is zero by coincidence only. But a dot product
of signs is an integer, a ReLU makes zeros of half of what it reads, and pixels are whole numbers,
and 0 where a picture is black: such values take certain numbers, *atoms*, often. They are followed
through the graph, once for each value: sums of whole numbers are whole numbers, and what a layer
makes of zeros alone is its bias.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bnas_deploy.converters.graph.activations import ACTIVATIONS
from bnas_deploy.converters.graph.nodes import Array, Node
from bnas_deploy.converters.graph.numerics import batch_norm_terms
from bnas_deploy.converters.signs.atoms import COLUMNS, Atoms, joined
from bnas_deploy.converters.signs.atoms_of_layers import layer_atoms
from bnas_deploy.converters.signs.importer import Importer

__all__ = ["may_vanish", "only_dots"]

Rule = Callable[[Node, Sequence[Atoms]], Atoms]


def may_vanish(imports: Importer, value: str) -> Array:
    """Whether each channel, (C,) bool, is exactly zero for more than a coincidence of pixels."""
    known = imports.atoms
    if not known:
        known[imports.build.input] = _of_pixels(imports.shape(imports.build.input)[0])
    for node in imports.build.nodes[len(known) - 1 :]:
        known[node.output] = _behind(imports, node)
    return known[value].vanish


def only_dots(imports: Importer, value: str) -> bool:
    """Whether a value takes none but its atoms, so that what `may_vanish` says is a proof."""
    waiting, seen = [value], set[str]()
    while waiting:
        name = waiting.pop()
        node = imports.producer(name)
        if node is None or node.op not in _OF_DOTS:
            return False
        if node.op in ("binary_conv", "binary_depthwise") or name in seen:
            continue
        seen.add(name)
        waiting += node.inputs
    return True


_OF_DOTS = {
    "batch_norm", "binary_conv", "binary_depthwise", "concat", "max_pool", "select_channels",
    *(name for name, activation in ACTIVATIONS.items() if activation.flats is not None),
}  # fmt: skip


def _of_pixels(channels: int) -> Atoms:
    zeros = np.zeros(channels)
    return Atoms.lattice(zeros, zeros + 1, zeros - np.inf, zeros + np.inf)


def _behind(imports: Importer, node: Node) -> Atoms:
    channels = imports.shape(node.output)[0]
    inputs = [imports.atoms[name] for name in node.inputs]
    if node.op in ("avg_pool", "global_avg_pool"):
        height, width = imports.shape(node.inputs[0])[1:]
        kernel = node.attributes.get("kernel", (height, width))
        return _mean(inputs[0], kernel[0] * kernel[1])
    if node.op == "linear":
        return layer_atoms(node, inputs[0], imports.shape(node.inputs[0]))
    rule = _RULES.get(node.op, _activated if node.op in ACTIVATIONS else None)
    return Atoms.none(channels) if rule is None else rule(node, inputs)


def _batch_norm(node: Node, inputs: Sequence[Atoms]) -> Atoms:
    return inputs[0].affine(*batch_norm_terms(**node.constants, eps=node.attributes["eps"]))


def _relu(node: Node, inputs: Sequence[Atoms]) -> Atoms:
    zeros = np.zeros((inputs[0].channels, 1))
    return inputs[0].cut(0.0, np.inf).beside(Atoms.points(zeros))


def _prelu(node: Node, inputs: Sequence[Atoms]) -> Atoms:
    slope = node.constants["slope"]
    below = inputs[0].cut(-np.inf, 0.0).affine(slope, 0 * slope)
    return inputs[0].cut(0.0, np.inf).beside(below)


def _clip(node: Node, inputs: Sequence[Atoms]) -> Atoms:
    bounds = [node.constants[key][:, None].astype(np.float64) for key in ("low", "high")]
    ends = [Atoms.points(np.where(np.isfinite(bound), bound, np.nan)) for bound in bounds]
    return inputs[0].cut(*bounds).beside(*ends)


def _activated(node: Node, inputs: Sequence[Atoms]) -> Atoms:
    """Of any function of one element: of single numbers, of zero, and of whole intervals."""
    (x,), activation = inputs, ACTIVATIONS[node.op]
    constants = {
        key: array if key in activation.shared else array[:, None]
        for key, array in node.constants.items()
    }
    singles = np.where(x.step == 0, x.start, np.nan)
    zeros = np.where(x.vanish, 0.0, np.nan)[:, None]
    found = activation.function(np.concatenate([singles, zeros], axis=1), **constants)
    flats = activation.flats(**constants) if activation.flats is not None else []
    still = [np.broadcast_to(flat, (x.channels, 1)) for flat in flats]
    return Atoms.points(np.concatenate([found, *still], axis=1)).few()


def _multiply(node: Node, inputs: Sequence[Atoms]) -> Atoms:
    either = inputs[0].vanish | inputs[1].vanish  # a factor of one channel is one for all
    return Atoms.points(np.where(either, 0.0, np.nan)[:, None])


def _constant(node: Node, inputs: Sequence[Atoms]) -> Atoms:
    value = node.constants["value"].reshape(len(node.constants["value"]), -1).astype(np.float64)
    numbers = np.unique(value)
    if len(numbers) > COLUMNS:
        numbers = np.zeros(1)
    there = [np.where((value == number).any(axis=1), number, np.nan) for number in numbers]
    return Atoms.points(np.stack(there, axis=1))


def _mean_magnitude(node: Node, inputs: Sequence[Atoms]) -> Atoms:
    terms = [node.constants[key].astype(np.float64) for key in ("scale", "shift", "terms")]
    still = inputs[0].affine(terms[0], terms[1]).vanish.all()
    return Atoms.points(np.array([[terms[2][1] if still else np.nan]]))


def _mean(atoms: Atoms, count: int) -> Atoms:
    """The mean of so many; numbers of both signs may cancel."""
    one = atoms.together()
    lattice = Atoms(one.start, one.step / count, one.low, one.high)
    return lattice.beside(atoms.columns(np.flatnonzero((atoms.step == 0).any(axis=0))))


_RULES: dict[str, Rule] = {
    "add": lambda node, inputs: inputs[0].plus(inputs[1]),
    "batch_norm": _batch_norm,
    "binary_conv": lambda node, inputs: layer_atoms(node, inputs[0]),
    "binary_depthwise": lambda node, inputs: layer_atoms(node, inputs[0]),
    "bits_to_float": lambda node, inputs: inputs[0],
    "clip": _clip,
    "concat": lambda node, inputs: joined(inputs),
    "constant": _constant,
    "conv": lambda node, inputs: layer_atoms(node, inputs[0]),
    "max_pool": lambda node, inputs: inputs[0],
    "mean_magnitude": _mean_magnitude,
    "multiply": _multiply,
    "prelu": _prelu,
    "relu": _relu,
    "select_channels": lambda node, inputs: inputs[0].taken(node.constants["index"]),
    "sign": lambda node, inputs: _of_bits(inputs[0].channels),
    "zero": lambda node, inputs: Atoms.points(np.zeros((node.attributes["shape"][0], 1))),
}


def _of_bits(channels: int) -> Atoms:
    ones = np.ones(channels)
    return Atoms.lattice(-ones, 2 * ones, -ones, ones)
