"""A lowered graph as a program and its tensors; nothing is decided or rewritten here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bnas_deploy.bits import negative, pack_rows
from bnas_deploy.converters.graph.nodes import Array, Graph, Node
from bnas_deploy.converters.graph.ops import Stage, groups_of
from bnas_deploy.errors import ConversionError
from bnas_deploy.format import Program, Value, steps

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
    if node.op not in _STEPS:
        msg = f"{node.name}: {node.op} has no step in the format; was the pipeline run?"
        raise ConversionError(msg)
    step = _STEPS[node.op](node, tensors)
    if node.op in _GROUPED:
        groups = groups_of(node, graph.values[node.inputs[0]].shape[0])
        if groups > 1:
            return (_in_groups(step, _GROUPED[node.op], groups),)
    return (step,)


def _in_groups(step: steps.Step, cls: Callable[..., steps.Step], groups: int) -> steps.Step:
    own = {field.name: content for field, content in step.contents()}
    return cls(**own, groups=groups)


_GROUPED: dict[str, Callable[..., steps.Step]] = {
    "conv": steps.GroupedConv2d,
    "packed_conv": steps.BinaryGroupedConv2d,
}


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


def _own(node: Node, tensors: Tensors, *names: str) -> dict[str, str | None]:
    """Store a node's constants under its name."""
    return {
        key: _store(tensors, f"{node.name}.{key}", node.constants[key])
        if key in node.constants
        else None
        for key in names
    }


def _packed_conv(node: Node, tensors: Tensors) -> steps.Step:
    weight = node.constants["weight"]
    # (O, kh*kw*C), c fastest
    rows = negative(weight.transpose(0, 2, 3, 1)).reshape(len(weight), -1)
    return steps.BinaryConv2d(
        input=node.inputs[0],
        weight=_store(tensors, f"{node.name}.weight", pack_rows(rows)),
        fold=_own(node, tensors, "fold")["fold"],
        **_window_and_stages(node, tensors),
    )


def _packed_depthwise(node: Node, tensors: Tensors) -> steps.Step:
    rows = negative(node.constants["weight"]).reshape(len(node.constants["weight"]), -1)
    return steps.BinaryDepthwiseConv2d(
        input=node.inputs[0],
        weight=_store(tensors, f"{node.name}.weight", pack_rows(rows)),
        **_window_and_stages(node, tensors),
    )


def _window_and_stages(node: Node, tensors: Tensors) -> dict[str, Any]:
    stages = zip(node.outputs, node.attributes["stages"], strict=True)
    return {
        "kernel": node.constants["weight"].shape[2:],
        "stages": tuple(_stage(node, output, stage, tensors) for output, stage in stages),
        **{key: node.attributes[key] for key in ("stride", "padding", "dilation")},
    }


def _stage(node: Node, output: str, stage: Stage, tensors: Tensors) -> steps.Stage:
    store = {
        key: _store(tensors, f"{node.name if key in ('scale', 'shift') else output}.{key}", array)
        for key in ("threshold", "flip", "scale", "shift")
        if (array := node.constants.get(f"{output}.{key}")) is not None
    }
    if stage.kind == "threshold":
        return steps.ThresholdStage(output=output, **store)
    cls: Callable[..., steps.Stage] = steps.ScaleStage
    if stage.kind == "affine":
        cls = steps.AffineStage
    return cls(
        output=output,
        **store,
        activation=stage.activation,
        addend=None if stage.addend is None else node.inputs[stage.addend],
        at=stage.at,
    )


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


def _plain(
    step: Callable[..., steps.Step], *constants: str
) -> Callable[[Node, Tensors], steps.Step]:
    """A step whose fields are the node's attributes and constants."""

    def make(node: Node, tensors: Tensors) -> steps.Step:
        fields: dict[str, Any] = {**node.attributes, **_own(node, tensors, *constants)}
        return step(input=node.inputs[0], output=node.output, **fields)

    return make


def _add_slice(node: Node, tensors: Tensors) -> steps.Step:
    x, addend = node.inputs
    return steps.AddSlice(input=x, addend=addend, output=node.output, at=node.attributes["at"])


def _multiply(node: Node, tensors: Tensors) -> steps.Step:
    x, factor = node.inputs
    return steps.Multiply(input=x, factor=factor, output=node.output)


def _constant(node: Node, tensors: Tensors) -> steps.Step:
    value = _store(tensors, f"{node.name}.value", node.constants["value"])
    return steps.Constant(output=node.output, value=value)


def _concat(node: Node, tensors: Tensors) -> steps.Step:
    return steps.Concat(inputs=node.inputs, output=node.output)


_STEPS: dict[str, Callable[[Node, Tensors], steps.Step]] = {
    "conv": _plain(steps.Conv2d, "weight", "bias"),
    "linear": _plain(steps.Linear, "weight", "bias"),
    "affine": _plain(steps.Affine, "scale", "shift"),
    "relu": _plain(steps.Relu),
    "prelu": _plain(steps.Prelu, "slope"),
    "clip": _plain(steps.Clip, "low", "high"),
    "sigmoid": _plain(steps.Sigmoid),
    "constant": _constant,
    "binary_max_pool": _plain(steps.BinaryMaxPool2d, "minimum"),
    "binarize": _plain(steps.Binarize, "threshold", "flip"),
    "packed_conv": _packed_conv,
    "packed_depthwise": _packed_depthwise,
    "mean_magnitude": _plain(steps.MeanMagnitude, "scale", "shift", "terms"),
    "multiply": _multiply,
    "max_pool": _plain(steps.MaxPool2d),
    "avg_pool": _plain(steps.AvgPool2d),
    "add_slice": _add_slice,
    "concat": _concat,
    "select_channels": _plain(steps.SelectChannels, "index"),
    "global_avg_pool": _plain(steps.GlobalAvgPool),
}
