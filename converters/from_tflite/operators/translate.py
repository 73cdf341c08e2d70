"""From TensorFlow Lite's operators to a model in ONNX's standard operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from bnas_deploy.converters.from_tflite.file.model import Operator, TfliteModel
from bnas_deploy.converters.from_tflite.operators.activations import ACTIVATION_RULES
from bnas_deploy.converters.from_tflite.operators.arrange import ARRANGE_RULES
from bnas_deploy.converters.from_tflite.operators.elementwise import ELEMENTWISE_RULES
from bnas_deploy.converters.from_tflite.operators.larq import LARQ_RULES
from bnas_deploy.converters.from_tflite.operators.layers import LAYER_RULES
from bnas_deploy.converters.from_tflite.operators.pools import POOL_RULES
from bnas_deploy.converters.from_tflite.operators.writer import Rule, Writer
from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.graph import MISFITS
from bnas_deploy.converters.operators.model import OperatorModel, OperatorNode
from bnas_deploy.converters.signs.limits import EXTENT_LIMIT
from bnas_deploy.converters.signs.obstacles import CannotConvert
from bnas_deploy.errors import ConversionError

__all__ = ["RULES", "Translation", "translated"]

RULES: dict[str, Rule] = {
    **ACTIVATION_RULES,
    **ARRANGE_RULES,
    **ELEMENTWISE_RULES,
    **LARQ_RULES,
    **LAYER_RULES,
    **POOL_RULES,
}
"""The operators that are understood."""

OPSET = 17
"""Whose operators are written."""

TFLITE = "TensorFlow Lite"

_INPUTS = ("FLOAT32", "INT8", "UINT8", "INT16")


@dataclass(frozen=True, kw_only=True)
class Translation(OperatorModel):
    """A model in standard operators.

    Attributes:
        bounded: How many values in 8 bits, or 16, are bounded and not rounded.
    """

    bounded: int


def translated(model: TfliteModel, name: str) -> Translation:
    """Return a model in standard operators; every tensor's value has the tensor's name.

    Args:
        model: As it was read; constants are computed.
        name: Of the file, for messages.

    Raises:
        ConversionError: Its input is neither a batch of images nor one of vectors, or of no type
            of numbers that pictures have.
    """
    start = model.tensors[model.input]
    batch, *dims = start.shape or (0,)
    if len(dims) not in (1, 3) or not all(1 <= n <= EXTENT_LIMIT for n in (batch, *dims)):
        what = f"expected the shape (N, H, W, C) or (N, K); got {list(start.shape)}"
        msg = f"{name}: input {start.name!r}: {what}"
        raise ConversionError(msg)
    if start.kind not in _INPUTS:
        msg = f"{name}: input {start.name!r} is {start.kind}; expected {', '.join(_INPUTS)}"
        raise ConversionError(msg)
    writer = Writer(model)
    bounded = sum(_write(writer, operator) for operator in model.operators)
    return Translation(
        nodes=tuple(writer.nodes),
        constants=writer.constants,
        input=start.name,
        batch=batch,
        dims=tuple(dims),
        output=model.tensors[model.output].name,
        opset=OPSET,
        compute=_nothing_left,
        infer=partial(_shapes, model),
        channels_last=len(dims) == 3,
        inferred_last=True,
        bounded=bounded,
    )


def _write(writer: Writer, operator: Operator) -> int:
    """Add one operator; return how many of its values are bounded."""
    writer.operator = operator
    before = len(writer.nodes)
    try:
        bounded = _written(writer, operator)
    except CannotConvert as error:
        refused = (error.reason, error.remedy)
    except MISFITS as error:
        refused = (f"its inputs or options do not fit: {error}", "check it")
    else:
        return bounded
    del writer.nodes[before:]
    tensors = writer.model.tensors
    inputs, outputs = (
        tuple(tensors[place].name for place in places if place >= 0)
        for places in (operator.inputs, operator.outputs)
    )
    for place in operator.inputs:
        if (array := writer.model.array(place)) is not None:
            writer.constants[tensors[place].name] = array
    writer.nodes.append(
        OperatorNode(operator.name, operator.op, TFLITE, inputs, outputs, refused=refused)
    )
    return 0


def _written(writer: Writer, operator: Operator) -> int:
    rule = RULES.get(operator.op)
    if rule is None:
        msg = "this operator is not understood"
        raise CannotConvert(msg, "leave it out of the model, or use those of docs/tflite.md")
    found = rule(writer, operator)
    values = [found] if isinstance(found, str) else list(found)
    tensors, bounded = writer.model.tensors, 0
    for place, value in zip(operator.outputs, values, strict=True):
        steps = tensors[place].steps
        if steps is not None and not _in_range(writer.model, operator):
            _name(writer, writer.add("Clip", value, *steps.range), tensors[place].name)
            bounded += 1
        else:
            _name(writer, value, tensors[place].name)
    return bounded


def _in_range(model: TfliteModel, operator: Operator) -> bool:
    """Whether an operator's results lie in the range of its steps without being bounded."""
    if operator.op == "QUANTIZE":
        producer = model.producers.get(operator.inputs[0])
        return producer is not None and producer.op in _ANSWERS
    places = [place for place in (*operator.inputs, *operator.outputs) if place >= 0]
    steps = {model.tensors[place].steps for place in places if model.array(place) is None}
    return operator.op in _ANSWERS or (operator.op in _KEEPING and len(steps) == 1)


_ANSWERS = {"ARG_MAX", "LOG_SOFTMAX", "SOFTMAX"}
"""Their range is made for them."""
_KEEPING = (ARRANGE_RULES.keys() | {"AVERAGE_POOL_2D", "MAX_POOL_2D"}) - {"PAD", "PADV2"}
"""What makes nothing larger or smaller."""


def _name(writer: Writer, value: str, name: str) -> None:
    """Give a value the name of its tensor."""
    for place in range(len(writer.nodes) - 1, -1, -1):
        node = writer.nodes[place]
        if value in node.outputs:
            outputs = tuple(name if output == value else output for output in node.outputs)
            writer.nodes[place] = replace(node, outputs=outputs)
            return


def _nothing_left(
    nodes: Sequence[OperatorNode], given: Mapping[str, Array], wanted: Sequence[str]
) -> list[Array]:
    ops = " or ".join(dict.fromkeys(node.op for node in nodes))
    msg = f"a constant cannot be computed ({ops})"
    raise CannotConvert(msg, "fold the model's constants")


def _shapes(model: TfliteModel) -> dict[str, tuple[int, ...]]:
    """Extents behind the batch, as far as they can be those of a value."""
    return {
        tensor.name: tensor.shape[1:]
        for tensor in model.tensors
        if tensor.kind != "INT32"  # bits, 32 in a word
        and len(tensor.shape) > 1
        and all(1 <= n <= EXTENT_LIMIT for n in tensor.shape)
    }
