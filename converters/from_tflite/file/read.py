"""Reads a .tflite file into plain operators and arrays, trusting nothing in it."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import tflite

from bnas_deploy.converters.from_tflite.file.model import LEFT_OUT, Operator, Tensor, TfliteModel
from bnas_deploy.converters.from_tflite.file.names import LIMIT, Names, layer_name
from bnas_deploy.converters.from_tflite.file.options import builtin_options, custom_options
from bnas_deploy.converters.from_tflite.file.tensors import KINDS, constant, shape_of, steps_of
from bnas_deploy.converters.packing.model_file import ModelFile
from bnas_deploy.converters.signs.limits import ARRAY_LIMIT
from bnas_deploy.errors import ConversionError
from bnas_deploy.shown import safe

__all__ = ["read_tflite"]

FILE_LIMIT = 2**31
OPERATOR_LIMIT = 5_000
TENSOR_LIMIT = 50_000
PLACES_LIMIT = 1_000
"""Inputs, and outputs, of one operator."""
VERSION = 3
IDENTIFIER = b"TFL3"

_DAMAGE = (
    AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError, struct.error,
)  # fmt: skip
"""What reading a damaged flatbuffer raises."""

_CODES = {n: name for name, n in vars(tflite.BuiltinOperator).items() if name.isupper()}


def read_tflite(file: ModelFile) -> TfliteModel:
    """Read and check a model.

    Raises:
        ConversionError: The file is no TensorFlow Lite model, damaged, too large, of an unknown
            version, or has more than one input or output.
    """
    if file.size > FILE_LIMIT:
        raise _fail(file, f"larger than 2^31 bytes ({file.size:,})")
    if file.data[4:8] != IDENTIFIER:
        raise _fail(file, f"not a TensorFlow Lite model: the identifier {IDENTIFIER!r} is missing")
    try:
        return _model(file)
    except _DAMAGE as error:
        raise _fail(file, f"damaged, or not understood: {safe(str(error))[:200]}") from error


def _fail(file: ModelFile, what: str) -> ConversionError:
    return ConversionError(f"{file.name}: {what}")


def _model(file: ModelFile) -> TfliteModel:
    model = tflite.Model.GetRootAs(file.data, 0)
    if model.Version() != VERSION or not model.SubgraphsLength():
        raise _fail(file, f"expected version {VERSION} and a graph; got {model.Version()}")
    graph = model.Subgraphs(0)
    if graph.OperatorsLength() > OPERATOR_LIMIT or graph.TensorsLength() > TENSOR_LIMIT:
        raise _fail(
            file, f"{graph.OperatorsLength():,} operators and {graph.TensorsLength():,} tensors;"
            f" at most {OPERATOR_LIMIT:,} and {TENSOR_LIMIT:,} are taken",
        )  # fmt: skip
    ends = [_places(_all(graph, which), graph.TensorsLength()) for which in ("Inputs", "Outputs")]
    if [len(places) for places in ends] != [1, 1]:
        raise _fail(file, f"expected one input and one output; got {len(ends[0])}, {len(ends[1])}")
    tensors = _tensors(model, graph)
    operators = tuple(_operators(model, graph, tensors))
    (start,), (end,) = ends
    _check_order(file, tensors, operators, start, end)
    return TfliteModel(tensors, operators, start, end, file.data, _rounds(tensors, operators))


def _all(table: tflite.SubGraph | tflite.Operator, which: str) -> list[int]:
    """The numbers of a vector of a flatbuffer's table."""
    count = getattr(table, f"{which}Length")()
    if count > PLACES_LIMIT:
        msg = f"{count:,} {which.lower()}"
        raise ValueError(msg)
    return [int(getattr(table, which)(i)) for i in range(count)]


def _places(numbers: list[int], count: int, *, optional: bool = False) -> tuple[int, ...]:
    least = LEFT_OUT if optional else 0
    if not all(least <= n < count for n in numbers):
        msg = f"tensors {numbers[:8]}, of {count:,}"
        raise ValueError(msg)
    return tuple(numbers)


def _tensors(model: tflite.Model, graph: tflite.SubGraph) -> tuple[Tensor, ...]:
    found: list[Tensor] = []
    names, total = Names(), 0
    for place in range(graph.TensorsLength()):
        tensor = _tensor(model, graph.Tensors(place), place, names)
        total += 0 if tensor.array is None else tensor.array.size
        if total > ARRAY_LIMIT:
            msg = f"its constants hold more than {ARRAY_LIMIT:,} numbers"
            raise ValueError(msg)
        found.append(tensor)
    return tuple(found)


def _tensor(model: tflite.Model, tensor: tflite.Tensor, place: int, names: Names) -> Tensor:
    name = names.unique(layer_name(tensor.Name(), ""), place)
    kind = KINDS[tensor.Type()]
    buffer = model.Buffers(tensor.Buffer()) if tensor.Buffer() < model.BuffersLength() else None
    if buffer is None:
        msg = f"{name!r} has the buffer {tensor.Buffer()} of {model.BuffersLength()}"
        raise ValueError(msg)
    if buffer.Offset() > 1:
        msg = "its weights lie behind the flatbuffer, which is not read"
        raise ValueError(msg)
    array = constant(tensor, buffer, kind) if buffer.DataLength() else None
    steps = steps_of(tensor, kind) if array is None else None
    return Tensor(name, shape_of(tensor), kind, array, steps)


def _operators(
    model: tflite.Model, graph: tflite.SubGraph, tensors: tuple[Tensor, ...]
) -> Iterator[Operator]:
    names = Names()
    for place in range(graph.OperatorsLength()):
        operator = graph.Operators(place)
        if operator.OpcodeIndex() >= model.OperatorCodesLength():
            msg = f"operator {place} has the code {operator.OpcodeIndex()}, which does not exist"
            raise ValueError(msg)
        code = model.OperatorCodes(operator.OpcodeIndex())
        op = _CODES[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        custom = op == "CUSTOM"
        if custom:
            op = safe((code.CustomCode() or b"").decode("utf-8", "replace")[:LIMIT])
        inputs = _places(_all(operator, "Inputs"), len(tensors), optional=True)
        outputs = _places(_all(operator, "Outputs"), len(tensors))
        stated = graph.Tensors(outputs[0]).Name() if outputs else None
        name = names.unique(layer_name(stated, op), place)
        options = custom_options(operator, op) if custom else builtin_options(operator, op)
        yield Operator(name, op, inputs, outputs, options)


def _check_order(
    file: ModelFile, tensors: tuple[Tensor, ...], operators: tuple[Operator, ...], start: int,
    end: int,
) -> None:  # fmt: skip
    known = {start, LEFT_OUT} | {i for i, tensor in enumerate(tensors) if tensor.array is not None}
    for operator in operators:
        for place in operator.inputs:
            if place not in known:
                what = f"{operator.name} ({operator.op}) reads {tensors[place].name}"
                raise _fail(file, f"{what}, which nothing before it makes")
        if known.intersection(operator.outputs):
            raise _fail(file, f"{operator.name} ({operator.op}) makes what is there already")
        known.update(operator.outputs)
    if end not in known:
        raise _fail(file, f"nothing makes the output {tensors[end].name}")


def _rounds(tensors: tuple[Tensor, ...], operators: tuple[Operator, ...]) -> bool:
    """Whether values between layers are whole numbers, or become so where a layer reads them."""
    return any(
        any(tensors[place].steps is not None for place in operator.outputs)
        or (operator.op in _HYBRID and tensors[operator.inputs[1]].kind in _WHOLE)
        for operator in operators
    )


_HYBRID = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_WHOLE = ("INT8", "UINT8")
