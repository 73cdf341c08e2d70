"""A lowered graph as a program and its tensors: each node becomes one step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bnas_deploy.bits import negative, pack_rows
from bnas_deploy.converters.graph.nodes import Array, Graph, Node
from bnas_deploy.converters.graph.ops import Stage, groups_of
from bnas_deploy.converters.packing.names import IN_GROUPS, STEP_OF
from bnas_deploy.errors import ConversionError
from bnas_deploy.format import Program, Value, steps
from bnas_deploy.format.fields import Role, fields_of

__all__ = ["emit"]

Tensors = dict[str, Array]


def emit(graph: Graph) -> tuple[Program, Tensors]:
    """Return the program and its tensors by name (``<node>.<constant>``).

    Raises:
        ConversionError: An operation has no step in the format, or the floats are not float32.
    """
    tensors: Tensors = {}
    made = [step for node in graph.nodes for step in _steps(graph, node, tensors)]
    values = {name: Value(v.kind, v.shape) for name, v in graph.values.items()}
    for node in graph.nodes:
        if node.op == "zero":
            values[f"{node.name}.grid"] = Value(
                "f32", (graph.input_shape[0], *node.attributes["shape"][1:])
            )
    return Program(values, tuple(made), graph.input, graph.output), tensors


def _steps(graph: Graph, node: Node, tensors: Tensors) -> tuple[steps.Step, ...]:
    if node.op == "zero":
        return _zero(graph, node, tensors)
    if node.op not in STEP_OF:
        msg = f"{node.name}: {node.op} has no step in the format; was the pipeline run?"
        raise ConversionError(msg)
    cls, own = STEP_OF[node.op], dict(node.attributes)
    if cls in IN_GROUPS:
        groups = groups_of(node, graph.values[node.inputs[0]].shape[0])
        if groups > 1:
            cls, own = IN_GROUPS[cls], {**own, "groups": groups}
    if issubclass(cls, steps.BinaryConvolution):
        return (_binary(cls, node, own, tensors),)
    return (_plain(cls, node, own, tensors),)


def _plain(
    cls: Callable[..., steps.Step], node: Node, attributes: Mapping[str, Any], tensors: Tensors
) -> steps.Step:
    """A step whose fields are the node's inputs, output, constants and attributes."""
    inputs, own = iter(node.inputs), dict(attributes)
    for field in fields_of(cls):
        if field.role is Role.READS:
            own[field.name] = node.inputs if field.type is not str else next(inputs)
        elif field.role is Role.WRITES:
            own[field.name] = node.output
        elif field.role is Role.TENSOR:
            own[field.name] = _own(node, tensors, field.name)
    return cls(**own)


def _binary(
    cls: Callable[..., steps.Step],
    node: Node,
    attributes: Mapping[str, Any],
    tensors: Tensors,
) -> steps.Step:
    weight = node.constants["weight"]
    # (O, kh*kw*C), c fastest
    rows = negative(weight.transpose(0, 2, 3, 1)).reshape(len(weight), -1)
    own: dict[str, Any] = {
        **attributes,
        "weight": _store(tensors, f"{node.name}.weight", pack_rows(rows)),
        "kernel": weight.shape[2:],
        "stages": tuple(
            _stage(node, output, stage, tensors)
            for output, stage in zip(node.outputs, node.attributes["stages"], strict=True)
        ),
    }
    if "fold" in {field.name for field in fields_of(cls)}:
        own["fold"] = _own(node, tensors, "fold")
    return cls(input=node.inputs[0], **own)


def _store(tensors: Tensors, name: str, array: Array) -> str:
    """Store floats as they are, integers as int32, and booleans packed."""
    if array.dtype == np.bool_:
        array = pack_rows(array)
    elif array.dtype.kind == "i":
        array = array.astype(np.int32)
    elif array.dtype not in (np.float32, np.uint64):
        msg = f"{name}: a tensor is float32, int32 or packed bits; got {array.dtype}"
        raise ConversionError(msg)
    array = np.ascontiguousarray(array)
    if not _same(tensors.setdefault(name, array), array):
        msg = f"{name}: two tensors would have this name; names of nodes must differ"
        raise ConversionError(msg)
    return name


def _same(a: Array, b: Array) -> bool:
    return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())


def _own(node: Node, tensors: Tensors, key: str) -> str | None:
    """Store a constant under the node's name, if it has it."""
    if key not in node.constants:
        return None
    return _store(tensors, f"{node.name}.{key}", node.constants[key])


def _stage(node: Node, output: str, stage: Stage, tensors: Tensors) -> steps.Stage:
    store = {
        key: _store(tensors, _stage_tensor(node, output, key), array)
        for key in ("threshold", "flip", "scale", "shift")
        if (array := node.constants.get(f"{output}.{key}")) is not None
    }
    cls: Callable[..., Any] = steps.STAGES[stage.kind]
    made: steps.Stage = cls(output=output, **store, **_placed(node, stage))
    return made


def _stage_tensor(node: Node, output: str, key: str) -> str:
    """The name of a stage's tensor: the node's own where all of its stages have the same."""
    names = [f"{name}.{key}" for name in node.outputs]
    own = [node.constants[name] for name in names if name in node.constants]
    alike = key in ("scale", "shift") and all(_same(own[0], array) for array in own)
    return f"{node.name if alike else output}.{key}"


def _placed(node: Node, stage: Stage) -> dict[str, Any]:
    """Where the result of a stage that makes floats goes."""
    if stage.kind == "threshold":
        return {}
    addend = None if stage.addend is None else node.inputs[stage.addend]
    return {"activation": stage.activation, "addend": addend, "at": stage.at}


def _zero(graph: Graph, node: Node, tensors: Tensors) -> tuple[steps.Step, ...]:
    """Zeros of a resolution: the picture, thinned out to it, with none of its channels selected."""
    channels, height, width = node.attributes["shape"]
    stride = (
        _stride(graph.input_shape[1], height, node),
        _stride(graph.input_shape[2], width, node),
    )
    grid = f"{node.name}.grid"
    index = _store(tensors, f"{node.name}.index", np.full(channels, -1, np.int32))
    thin = steps.MaxPool2d(
        input=graph.input, output=grid, kernel=(1, 1), stride=stride, padding=(0, 0, 0, 0)
    )
    return thin, steps.SelectChannels(input=grid, output=node.output, index=index)


def _stride(extent: int, wanted: int, node: Node) -> int:
    for stride in range(1, extent + 1):
        if (extent - 1) // stride + 1 == wanted:
            return stride
    msg = f"{node.name}: no stride turns {extent} pixels into {wanted}; this network is zero there"
    raise ConversionError(msg)
