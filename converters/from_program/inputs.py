"""What a program's placeholders stand for: weights, constants, and its one input."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import fx
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, InputSpec

from bnas_deploy.converters.from_program.call import Given
from bnas_deploy.converters.signs.limits import EXTENT_LIMIT
from bnas_deploy.errors import ConversionError

__all__ = ["input_shape", "placeholders"]


def placeholders(exported: ExportedProgram) -> Iterator[tuple[fx.Node, InputSpec, Given]]:
    """Every placeholder of the graph in order, what it stands for, and its tensor if it has one."""
    tensors = {**exported.constants, **exported.state_dict}
    nodes = [node for node in exported.graph.nodes if node.op == "placeholder"]
    for node, spec in zip(nodes, exported.graph_signature.input_specs, strict=True):
        yield node, spec, tensors.get(spec.target or "")


def input_shape(exported: ExportedProgram, batch: int) -> tuple[fx.Node, tuple[int, ...]]:
    """Return the placeholder of the input, and its shape for a batch.

    Raises:
        ConversionError: There is not one input, or it is no batch of images or vectors in float32.
    """
    found = [
        (node, node.meta["val"])
        for node, spec, _ in placeholders(exported)
        if spec.kind == InputKind.USER_INPUT and isinstance(node.meta.get("val"), torch.Tensor)
    ]
    if len(found) != 1:
        msg = f"expected one input, a tensor; got {len(found)}"
        raise ConversionError(msg)
    node, like = found[0]
    extents = (batch, *like.shape[1:])
    fixed = all(isinstance(n, int) and 1 <= n <= EXTENT_LIMIT for n in extents)
    if like.ndim not in (2, 4) or not fixed:
        what = "(N, C, H, W), (N, H, W, C) or (N, K) with fixed extents behind N"
        msg = f"expected an input {what}; got {list(like.shape)}"
        raise ConversionError(msg)
    if like.dtype != torch.float32:
        msg = f"expected an input in float32; got {like.dtype}"
        raise ConversionError(msg)
    return node, extents
