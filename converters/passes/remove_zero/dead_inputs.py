"""Convolutions and linear layers without the inputs that are known; part of `remove_zero`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bnas_deploy.converters.graph.nodes import Array, Node
from bnas_deploy.converters.passes.remove_zero.channels import Channels, Rebuilt

__all__ = ["binary_conv", "conv", "linear"]


def binary_conv(node: Node, x: Channels, new: Rebuilt) -> Node:
    """Keep the live channels' weights; the others' signs times weights go to `fold`, tap by tap."""
    if not x.dead.any():
        return replace(node, inputs=(_name(x),))
    weight = node.constants["weight"]
    known = np.nan_to_num(x.known).astype(np.int32)  # 0 for live channels
    fold = np.einsum("ocyx,c->oyx", weight.astype(np.int32), known)
    fold = fold + node.constants.get("fold", np.int32(0))
    if x.name is not None:
        return _with(node, x.name, weight[:, x.live], fold)
    # Something has to be convolved: one channel of +1 with weights +1, taken off again.
    plus = np.ones_like(weight[:, :1])
    return _with(node, _plus_one(node, x, new), plus, fold - 1)


def conv(node: Node, x: Channels, new: Rebuilt) -> Node:
    """Keep the live channels' weights; the others go to the bias, if that spoils no border."""
    if not x.dead.any():
        return replace(node, inputs=(_name(x),))
    weight = node.constants["weight"]
    keep, known = x.live, np.nan_to_num(x.known)
    if any(node.attributes["padding"]):
        keep = np.flatnonzero(np.isnan(x.known) | (known != 0))
        known = np.zeros_like(known)
    if not len(keep):
        keep = np.array([0])
        weight = np.concatenate([np.zeros_like(weight[:, :1]), weight], axis=1)
        value = _zeros(node, x, new)
        bias = _bias(node, np.einsum("ocyx,c->o", weight[:, 1:].astype(np.float64), known))
    else:
        value = new.laid_out(x, keep, node.name)
        bias = _bias(node, np.einsum("ocyx,c->o", weight.astype(np.float64), known))
    return replace(node, inputs=(value,)).with_constants(weight=weight[:, keep], bias=bias)


def linear(node: Node, x: Channels, new: Rebuilt) -> Node:
    """Keep the live channels' columns; the others go to the bias."""
    if not x.dead.any():
        return replace(node, inputs=(_name(x),))
    weight = node.constants["weight"].reshape(-1, x.count, x.size[0] * x.size[1])  # (O, C, P)
    known = np.nan_to_num(x.known)
    bias = _bias(node, np.einsum("ocp,c->o", weight.astype(np.float64), known))
    if x.name is None:
        value, kept = _zeros(node, x, new), np.zeros_like(weight[:, :1])
    else:
        value, kept = x.name, weight[:, x.live]
    return replace(node, inputs=(value,)).with_constants(
        weight=kept.reshape(len(kept), -1), bias=bias
    )


def _name(x: Channels) -> str:
    assert x.name is not None  # as no channel is dead
    return x.name


def _with(node: Node, value: str, weight: Array, fold: Array) -> Node:
    fold = fold.astype(np.int32)
    return replace(node, inputs=(value,)).with_constants(
        weight=np.ascontiguousarray(weight), fold=fold if fold.any() else None
    )


def _bias(node: Node, added: Array) -> Array | None:
    """The node's bias with a sum added in float64; as it was if there is nothing to add."""
    bias = node.constants.get("bias")
    if not added.any():
        return bias
    base = np.zeros(len(added)) if bias is None else bias.astype(np.float64)
    return (base + added).astype(node.constants["weight"].dtype)


def _zeros(node: Node, x: Channels, new: Rebuilt) -> str:
    name = f"{node.name}.zero"
    return new.emit(Node("zero", name, (), (name,), {"shape": (1, *x.size)}))


def _plus_one(node: Node, x: Channels, new: Rebuilt) -> str:
    name = f"{node.name}.one"
    return new.emit(Node("sign", name, (_zeros(node, x, new),), (name,), {"zero_sign": 1}))
