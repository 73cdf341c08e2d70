"""Small TensorFlow Lite models for the tests, written by the schema's own classes."""

from __future__ import annotations

from pathlib import Path

import flatbuffers
import numpy as np
import tflite
from flatbuffers import flexbuffers

from bnas_deploy import engine
from bnas_deploy.converters.from_tflite.file.options import BUILTIN, CUSTOM
from bnas_deploy.converters.from_tflite.source import read
from bnas_deploy.converters.packing.convert import convert_source
from bnas_deploy.converters.packing.model_file import ModelFile

TOLERANCE = 2e-5  # of the logits' spread: sums in another order
KINDS = {"f": "FLOAT32", "i": "INT32", "b": "BOOL"}


class TfliteNet:
    """A model from tensor 0, (batch, *dims), while it is made; tensors are their places."""

    def __init__(self, *dims, batch=1, seed=0, kind="FLOAT32", scale=None, zero=0):
        self.rng = np.random.default_rng(seed)
        self.tensors, self.operators, self.codes = [], [], []
        self.buffers, self.starts = [b""], [0]
        self.tensor((batch, *dims), kind, scale, zero)

    def tensor(self, shape, kind="FLOAT32", scale=None, zero=0, data=b"", axis=0):
        """Add a tensor; scale and zero may be lists."""
        place = 0
        if data:
            place = len(self.buffers)
            self.buffers.append(data)
        name = f"t{len(self.tensors)}"
        self.tensors.append((name, tuple(shape), kind, scale, zero, place, axis))
        return len(self.tensors) - 1

    def const(self, array, kind=None, scale=None, zero=0, axis=0):
        array = np.asarray(array)
        if kind is None:
            array = array.astype({"f": "<f4", "i": "<i4", "b": "?"}[array.dtype.kind])
            kind = KINDS[array.dtype.kind]
        return self.tensor(array.shape, kind, scale, zero, array.tobytes(), axis)

    def shape(self, place):
        return self.tensors[place][1]

    def add(self, op, *inputs, shape=None, kind="FLOAT32", steps=(None, 0), **options):
        """Add an operator; None is an input that is left out, several shapes are outputs."""
        given = [-1 if x is None else x if isinstance(x, int) else self.const(x) for x in inputs]
        shape = self.shape(given[0]) if shape is None else shape
        shapes = shape if isinstance(shape, list) else [shape]
        places = [self.tensor(own, kind, *steps) for own in shapes]
        self.operators.append((op, given, places, options))
        return places[0] if len(places) == 1 else places

    def normal(self, *shape):
        return self.rng.standard_normal(shape).astype(np.float32)

    def words(self, *shape):
        """Weights (O, kh, kw, C) of signs as larq's Compute Engine packs them, and the signs."""
        signs = self.rng.choice(np.array([-1, 1]), size=shape)
        return packed(signs), signs

    def head(self, x, classes=3):
        """The mean over the image, and a linear layer."""
        channels = self.shape(x)[-1]
        if len(self.shape(x)) == 4:
            x = self.add("MEAN", x, np.array([1, 2]), shape=(self.shape(x)[0], channels))
        weight, bias = self.normal(classes, channels), self.normal(classes)
        return self.add("FULLY_CONNECTED", x, weight, bias, shape=(self.shape(x)[0], classes))

    def data(self, output, *, version=3, metadata=b""):
        """The file; `metadata` is what `metadata_of` gives."""
        return _written(self, output, version, metadata)

    def save(self, folder: Path, output) -> Path:
        path = folder / "model.tflite"
        path.write_bytes(self.data(output))
        return path


def packed(signs):
    """Signs (..., C) in words of 32 bits, a 1 for -1, channel 0 in the lowest bit."""
    channels = signs.shape[-1]
    words = np.zeros((*signs.shape[:-1], -(-channels // 32)), np.uint32)
    for channel in range(channels):
        bit = (signs[..., channel] < 0).astype(np.uint32)
        words[..., channel // 32] |= bit << np.uint32(channel % 32)
    return words.view(np.int32)


def imported(path: Path, *, images=None, batch=8, **options):
    """Import a model, compare its packed program with the original, return model and report.

    Both the reference and the native engine run it; the original is what the report names.
    """
    source = read(ModelFile(path), allow_float=True, **options)
    model, report = convert_source(source)
    if images is None:
        shape = source.graph.input_shape
        images = np.random.default_rng(1).standard_normal((batch, *shape)).astype(np.float32)
    expected = source.original.logits(images)
    if expected.shape[1] == 1:  # the packed network has two: see `packing.one_logit`
        expected = np.concatenate([np.zeros_like(expected), expected], axis=1)
    spread = max(1e-6, float(expected.std()))
    for backend in ("reference", "native"):
        got = engine.create(model, backend=backend).run(images)
        assert np.abs(got - expected).max() <= TOLERANCE * spread, backend
    return model, report


def metadata_of(*, mean=(), std=(), label_file=""):
    """The metadata of a model, by the numbers of metadata_schema.fbs."""
    builder = flatbuffers.Builder(64)
    means, stds = (_numbers(builder, numbers, "<f4") for numbers in (mean, std))
    options = _fields(builder, {0: means, 1: stds})
    unit = _fields(builder, {1: options}, {0: 1})
    file = _fields(builder, {0: builder.CreateString(label_file)}, {2: 2})
    given = _fields(builder, {4: _offsets(builder, [unit])})
    made = _fields(builder, {6: _offsets(builder, [file])})
    graph = _fields(builder, {2: _offsets(builder, [given]), 3: _offsets(builder, [made])})
    builder.Finish(_fields(builder, {3: _offsets(builder, [graph])}), b"M001")
    return bytes(builder.Output())


def _fields(builder, offsets, numbers=None):
    """A table of offsets and bytes by the numbers of its fields."""
    builder.StartObject(8)
    for number, offset in offsets.items():
        builder.PrependUOffsetTRelativeSlot(number, offset, 0)
    for number, value in (numbers or {}).items():
        builder.PrependByteSlot(number, value, 0)
    return builder.EndObject()


def _written(net: TfliteNet, output: int, version: int, metadata: bytes) -> bytes:
    builder = flatbuffers.Builder(1024)
    codes = list(dict.fromkeys(op for op, *_ in net.operators))
    about = []
    if metadata:
        fields = {"Name": builder.CreateString("TFLITE_METADATA"), "Buffer": len(net.buffers)}
        about = [_table(builder, "Metadata", fields)]
    parts = {
        "Metadata": about,
        "Buffers": [_buffer(builder, data) for data in [*net.buffers, metadata]],
        "OperatorCodes": [_code(builder, op) for op in codes],
        "Subgraphs": [_graph(builder, net, codes, output)],
    }
    vectors = {name: _offsets(builder, found) for name, found in parts.items()}
    tflite.ModelStart(builder)
    tflite.ModelAddVersion(builder, version)
    for name, vector in vectors.items():
        getattr(tflite, f"ModelAdd{name}")(builder, vector)
    builder.Finish(tflite.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


def _graph(builder, net, codes, output):
    parts = {
        "Tensors": _offsets(builder, [_tensor(builder, *tensor) for tensor in net.tensors]),
        "Operators": _offsets(builder, [_operator(builder, codes, *o) for o in net.operators]),
        "Inputs": _numbers(builder, net.starts),
        "Outputs": _numbers(builder, [output]),
    }
    return _table(builder, "SubGraph", parts)


def _table(builder, kind, fields):
    getattr(tflite, f"{kind}Start")(builder)
    for name, value in fields.items():
        getattr(tflite, f"{kind}Add{name}")(builder, value)
    return getattr(tflite, f"{kind}End")(builder)


def _offsets(builder, offsets):
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def _numbers(builder, numbers, dtype=np.int32):
    return builder.CreateNumpyVector(np.array(numbers, dtype))


def _buffer(builder, data):
    fields = {"Data": builder.CreateByteVector(data)} if data else {}
    return _table(builder, "Buffer", fields)


def _code(builder, op):
    custom = op not in vars(tflite.BuiltinOperator)
    number = getattr(tflite.BuiltinOperator, "CUSTOM" if custom else op)
    fields = {"BuiltinCode": number, "DeprecatedBuiltinCode": min(number, 127)}
    if custom:
        fields["CustomCode"] = builder.CreateString(op)
    return _table(builder, "OperatorCode", fields)


def _tensor(builder, name, shape, kind, scale, zero, buffer, axis):
    fields = {
        "Name": builder.CreateString(name),
        "Shape": _numbers(builder, shape),
        "Type": getattr(tflite.TensorType, kind),
        "Buffer": buffer,
    }
    if scale is not None:
        scales = np.atleast_1d(np.float32(scale))
        zeros = np.broadcast_to(zero, scales.shape)
        fields["Quantization"] = _table(
            builder, "QuantizationParameters", {
                "Scale": _numbers(builder, scales, np.float32),
                "ZeroPoint": _numbers(builder, zeros, np.int64),
                "QuantizedDimension": axis,
            },
        )  # fmt: skip
    return _table(builder, "Tensor", fields)


def _operator(builder, codes, op, inputs, outputs, options):
    fields = {
        "Inputs": _numbers(builder, inputs),
        "Outputs": _numbers(builder, outputs),
        "OpcodeIndex": codes.index(op),
    }
    if op in CUSTOM:
        maker = flexbuffers.Builder()
        maker.MapFromElements({name: options.get(name, 0) for name in CUSTOM[op]})
        fields["CustomOptions"] = builder.CreateByteVector(bytes(maker.Finish()))
    elif op in BUILTIN and (options or op not in ("MEAN", "FULLY_CONNECTED")):
        kind, _ = BUILTIN[op]
        fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, kind)
        fields["BuiltinOptions"] = _table(builder, kind, options)
    return _table(builder, "Operator", fields)
