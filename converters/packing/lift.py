"""A program as nodes, one per step: the inverse of `emit`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from bnas_deploy.bits import unpack_rows
from bnas_deploy.converters.graph.nodes import Array, Node
from bnas_deploy.converters.graph.ops import Stage
from bnas_deploy.converters.packing.names import NODE_OF
from bnas_deploy.format import PackedModel, steps
from bnas_deploy.format.fields import Role

__all__ = ["lift"]


def lift(model: PackedModel) -> tuple[Node, ...]:
    """Return the nodes of a program's steps, with the names of its values.

    A step that no operation of a graph stands for becomes a node of the step's own name.
    """
    return tuple(_node(step, model) for step in model.program.steps)


def _node(step: steps.Step, model: PackedModel) -> Node:
    if isinstance(step, steps.BinaryConvolution):
        return _packed(step, model)
    constants = {
        field.name: _array(step, model, content)
        for field, content in step.contents()
        if field.role is Role.TENSOR and content is not None
    }
    attributes = {
        field.name: content
        for field, content in step.contents()
        if field.role is Role.ATTRIBUTE and field.name != "groups"  # the weight's shape says it
    }
    op = NODE_OF.get(type(step), step.OP)
    (output,) = step.writes()
    return Node(op, output, step.reads(), (output,), attributes, constants)


def _array(step: steps.Step, model: PackedModel, name: str) -> Array:
    """A tensor; bits of channels as booleans."""
    tensor = model.tensors[name]
    if tensor.dtype.kind != "u":
        return tensor
    channels = model.program.values[step.reads()[0]].shape[0]
    return _bits(tensor, channels)


def _bits(tensor: Array, count: int) -> Array:
    rows: Array = unpack_rows(np.asarray(tensor, np.uint64), count)
    return rows


def _packed(step: steps.BinaryConvolution, model: PackedModel) -> Node:
    channels = model.program.values[step.input].shape[0]
    (kh, kw), inner = step.kernel, 1
    if isinstance(step, steps.BinaryConv2d | steps.BinaryGroupedConv2d):
        inner = channels // step.groups
    rows = _bits(model.tensors[step.weight], kh * kw * inner).reshape(-1, kh, kw, inner)
    weight = np.where(rows, np.int8(-1), np.int8(1)).transpose(0, 3, 1, 2)
    fold = getattr(step, "fold", None)
    constants = {
        "weight": weight,
        **({} if fold is None else {"fold": model.tensors[fold]}),
        **dict(_stage_constants(step, model, len(weight))),
    }
    addends = step.reads()[1:]
    attributes: dict[str, Any] = {
        **{key: getattr(step, key) for key in ("stride", "padding", "dilation")},
        "stages": tuple(_stages(step)),
    }
    outputs = step.writes()
    op = NODE_OF.get(type(step), step.OP)
    return Node(op, outputs[0], (step.input, *addends), outputs, attributes, constants)


def _stage_constants(
    step: steps.BinaryConvolution, model: PackedModel, outputs: int
) -> Iterator[tuple[str, Array]]:
    for stage in step.stages:
        for field, name in stage.contents():
            if field.role is Role.TENSOR:
                tensor = model.tensors[name]
                array = _bits(tensor, outputs) if tensor.dtype.kind == "u" else tensor
                yield f"{stage.output}.{field.name}", array


def _stages(step: steps.BinaryConvolution) -> Iterator[Stage]:
    addend = 0
    for stage in step.stages:
        if isinstance(stage, steps.ThresholdStage):
            yield Stage(stage.KIND)
            continue
        addend += stage.addend is not None
        yield Stage(
            stage.KIND, stage.activation, None if stage.addend is None else addend, stage.at
        )
