"""What a layer makes of the numbers that its input takes often.

Whole weights, up to a scale for each output, make whole numbers of whole numbers. Any weights make
the bias of zeros alone, which is what a layer sees where a picture is black.
"""

from __future__ import annotations

import numpy as np

from bnas_deploy.converters.graph.nodes import Array, Node
from bnas_deploy.converters.signs.atoms import Atoms, common

__all__ = ["layer_atoms"]

WHOLE = 2**12
"""Weights are whole multiples of the least up to here, beyond it by chance."""


def layer_atoms(node: Node, x: Atoms, shape: tuple[int, int, int] | None = None) -> Atoms:
    """Return the atoms of a layer's output.

    Args:
        node: A convolution, or linear layer.
        x: Of its input.
        shape: (C, H, W) of its input, if it is linear.
    """
    weight = node.constants["weight"].astype(np.float64)
    if shape is not None:
        weight = weight.reshape(-1, *shape)
    scale = node.constants.get("scale", np.ones(len(weight))).astype(np.float64)
    bias = node.constants.get("bias", np.zeros(len(weight))).astype(np.float64)
    groups = x.channels // weight.shape[1]
    own = np.repeat(np.arange(groups), len(weight) // groups)  # (O,) the group of each output
    black = np.asarray(x.vanish.reshape(groups, -1).all(axis=1))[own]
    still = Atoms.points(np.where(black, bias, np.nan)[:, None])
    padded = any(node.attributes.get("padding", ()))
    sums = _whole_sums(weight, x.together(), own, node.constants.get("fold"), padded=padded)
    return still if sums is None else sums.affine(scale, bias).beside(still)


def _whole_sums(
    weight: Array, x: Atoms, own: Array, fold: Array | None, *, padded: bool
) -> Atoms | None:
    """The sums of whole multiples, before scale and bias; None if there are none."""
    if not x.start.shape[1]:
        return None
    groups = x.channels // weight.shape[1]
    steps = x.step[:, 0].reshape(groups, -1)  # (G, C / G)
    start = x.start[:, 0].reshape(steps.shape)
    alike = np.abs(steps - steps[:, :1]) <= 1e-6 * steps[:, :1]
    plain = np.asarray((alike & ~np.isnan(start)).all(axis=1))  # (G,)
    unit, whole = _units(weight)
    fits = whole & plain[own]
    if not fits.any():
        return None
    taps = np.einsum("ocyx,oc->oyx", weight, np.nan_to_num(start)[own])
    bound = np.maximum(np.abs(weight).sum(axis=(1, 2, 3)), 1e-30) * _most(x)
    if fold is not None:
        taps = taps + fold
        bound = bound + np.abs(fold.astype(np.float64)).sum(axis=(1, 2))
    step = unit * steps[own, 0]
    if padded:  # what lies outside is left out of the sum
        for tap in np.abs(taps).reshape(len(taps), -1).T:
            step = common(step, tap)
    first = np.where(fits & ~np.isnan(step), taps.sum(axis=(1, 2)), np.nan)
    return Atoms.lattice(first, np.nan_to_num(step), -bound, bound)


def _units(weight: Array) -> tuple[Array, Array]:
    """The least weight of each output, and whether the others are whole multiples of it, (O,)."""
    flat = np.abs(weight).reshape(len(weight), -1)
    unit = np.where(flat > 0, flat, np.inf).min(axis=1)
    unit = np.where(np.isfinite(unit), unit, 1.0)
    times = flat / unit[:, None]
    near = np.abs(times - np.rint(times)) < 1e-6 * np.maximum(1, times)
    return unit, np.asarray((near & (times < WHOLE)).all(axis=1))


def _most(x: Atoms) -> float:
    ends = np.maximum(np.abs(x.low), np.abs(x.high))
    return float(np.nanmax(ends, initial=0.0))
