"""Whether a value can be exactly zero, as ONNX's Sign(0) = 0 is neither +1 nor -1.

A float that is computed from pixels by real weights is zero by coincidence only. But a dot product
of signs is an integer, a ReLU makes zeros of half of what it reads, and pixels are 0 where a
picture is black: such values take certain numbers, *atoms*, often. They are followed through what
works on each channel alone.
"""

from __future__ import annotations

import numpy as np

from bnas_deploy.converters.graph.activations import ACTIVATIONS
from bnas_deploy.converters.graph.nodes import Array, Node
from bnas_deploy.converters.graph.numerics import batch_norm_terms
from bnas_deploy.converters.signs.importer import Importer

__all__ = ["may_vanish", "only_dots"]

ATOM_LIMIT = 2**23


def may_vanish(imports: Importer, value: str) -> Array:
    """Whether each channel, (C,) bool, is exactly zero for more than a coincidence of pixels."""
    atoms = _atoms(imports, value, 0)
    channels = imports.shape(value)[0]
    if atoms is None:
        return np.ones(channels, bool)
    with np.errstate(invalid="ignore"):
        found: Array = (atoms == 0).any(axis=1)
    return found


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


def _atoms(imports: Importer, value: str, depth: int) -> Array | None:
    """(C, A) float64 with NaN where there is none; None if they are too many to say."""
    node = imports.producer(value)
    channels = imports.shape(value)[0]
    if node is None:
        return np.zeros((channels, 1))
    if depth > 200:
        return None
    if node.op in ("binary_conv", "binary_depthwise"):
        return _dots(imports, node)
    inner = [_atoms(imports, name, depth + 1) for name in node.inputs if node.op != "conv"]
    if any(atoms is None for atoms in inner):
        return None
    return _behind(node, [atoms for atoms in inner if atoms is not None], channels)


def _behind(node: Node, inner: list[Array], channels: int) -> Array | None:
    if node.op == "batch_norm":
        alpha, beta = batch_norm_terms(**node.constants, eps=node.attributes["eps"])
        result = (inner[0] * alpha[:, None].astype(np.float64) + beta[:, None]).astype(np.float32)
        constant = np.where(alpha == 0, beta, np.nan)[:, None]
        return np.concatenate([result.astype(np.float64), constant], axis=1)
    if node.op in ACTIVATIONS:
        return _activated(node, inner[0], channels)
    if node.op == "multiply":
        zero = (inner[0] == 0).any(axis=1) | (inner[1] == 0).any(axis=1)
        return np.where(zero, 0.0, np.nan)[:, None]
    if node.op == "constant":
        return node.constants["value"].reshape(len(node.constants["value"]), -1).astype(np.float64)
    if node.op == "max_pool":
        return inner[0]
    if node.op == "concat":
        width = max(atoms.shape[1] for atoms in inner)
        return np.concatenate(
            [np.pad(a, ((0, 0), (0, width - a.shape[1])), constant_values=np.nan) for a in inner]
        )
    if node.op == "select_channels":
        index = node.constants["index"][:, None]
        return np.where(index < 0, 0, inner[0][index[:, 0]])
    if node.op == "zero":
        return np.zeros((channels, 1))
    if node.op == "add":
        zero = np.array([np.isin(a, -b).any() for a, b in zip(*inner, strict=True)])
        return np.where(zero, 0.0, np.nan)[:, None]
    if node.op in ("avg_pool", "global_avg_pool"):
        # Numbers of both signs may cancel.
        zero = np.fmin.reduce(inner[0], axis=1) <= 0
        zero &= np.fmax.reduce(inner[0], axis=1) >= 0
        return np.where(zero, 0.0, np.nan)[:, None]
    return np.full((channels, 1), np.nan)


def _activated(node: Node, atoms: Array, channels: int) -> Array:
    activation = ACTIVATIONS[node.op]
    if activation.flats is None:
        return np.full((channels, 1), np.nan)
    own = {name: node.constants[name][:, None] for name in activation.constants}
    constants = {**own, **{name: node.constants[name] for name in activation.shared}}
    flats = [np.broadcast_to(flat, (channels, 1)) for flat in activation.flats(**constants)]
    return np.concatenate([activation.function(atoms, **constants), *flats], axis=1)


def _dots(imports: Importer, node: Node) -> Array | None:
    """Every number that a dot product can be; odd and even ones alternate unless borders mix."""
    weight, scale = node.constants["weight"], node.constants["scale"]
    bound = weight[0].size
    fold = node.constants.get("fold")
    step = 2
    if fold is not None:
        bound += int(np.abs(fold.astype(np.int64)).sum(axis=(1, 2)).max())
        step = 1
    if any(node.attributes["padding"]) and weight.shape[1] % 2:
        step = 1
    dots = np.arange(-bound, bound + 1, step)
    if dots.size * len(scale) > ATOM_LIMIT:
        return None
    return dots[None].astype(np.float32).astype(np.float64) * scale[:, None].astype(np.float64)
