"""Models that are refused: every obstacle is listed; damaged and hostile files end as one error."""

from __future__ import annotations

import contextlib
import os
import re

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from support.onnx_models import OnnxModel, imported

from bnas_deploy.converters.from_onnx import read as onnx_read
from bnas_deploy.converters.from_onnx.convert import convert_onnx
from bnas_deploy.errors import BnasError, ConversionError


def small(tmp_path, **options):
    """A path to a model that converts."""
    m = OnnxModel()
    y = m.head(m.binary(m.add("Sign", m.norm("x", 6)), 6, 8), 8)
    return m.save(tmp_path, y, **options)


def changed(path, change):
    proto = onnx.load(path)
    change(proto)
    path.write_bytes(proto.SerializeToString())
    return path


def refused(path, match, **options):
    with pytest.raises(BnasError, match=match) as caught:
        convert_onnx(path, images=0, **options)
    return str(caught.value)


def test_all_obstacles_are_listed_at_once(tmp_path):
    m = OnnxModel()
    x = m.add("Conv", "x", m.normal(6, 6, 3, 3), pads=[1] * 4)
    x = m.add("Sin", x)
    x = m.add("Conv", m.add("Sign", x), m.normal(8, 6, 3, 3))
    x = m.add("InstanceNormalization", x, m.normal(8), m.normal(8))
    x = m.add("MaxPool", x, kernel_shape=[2, 2], dilations=[2, 2])
    y = m.add("Flatten", m.add("GlobalAveragePool", m.add("Softmax", x, axis=1)))
    path = m.save(tmp_path, y)
    text = refused(path, "6 obstacles")
    for op in ("Sin", "InstanceNormalization", "MaxPool", "Softmax", "Conv"):
        assert f"({op}): " in text
    assert "dilations [2, 2]; pool without dilation" in text
    assert "only at the end, over the classes" in text
    assert text.count("pass --allow-float") == 2
    assert "4 obstacles" in refused(path, "obstacles", allow_float=True)


OBSTACLES = {
    "not understood": lambda m, x: m.add("LpNormalization", x),
    "no step computes this function; it is understood of a sign": lambda m, x: m.add("Sin", x),
    "in place of Mish, HardSwish": lambda m, x: m.add("Softplus", x),
    "raises to the power of 0.5": lambda m, x: m.add("Pow", x, 0.5),
    "computes nchw,ncHW->nHW": lambda m, x: m.add(
        "Einsum", x, m.normal(1, 6, 7, 5), equation="nchw,ncHW->nHW"
    ),
    "multiply channels, or flatten": lambda m, x: m.add("MatMul", x, m.normal(5, 3)),
    "by computed places": lambda m, x: m.add(
        "Gather", m.normal(4, 4), m.add("Cast", m.add("Sign", x), to=onnx.TensorProto.INT64)
    ),
    "of the domain 'mine'": lambda m, x: m.add("Sign", x, domain="mine"),
    "takes it off again, which rounds": lambda m, x: m.add(
        "Sub", m.add("Add", x, 12582912.0), 12582912.0
    ),
    "rounds a value that is not clipped": lambda m, x: m.add("Round", x),
    "rounds to more than two numbers": lambda m, x: m.add("Round", m.add("Clip", x, -1.0, 1.0)),
    "divides by a computed value": lambda m, x: m.add("Div", m.normal(6, 7, 5), x),
    "only x / |x| is understood": lambda m, x: m.add("Div", x, "x"),
    "factor must have one channel": lambda m, x: m.add(
        "Mul", x, m.add("ReduceMean", x, axes=[3], keepdims=1)
    ),
    "training mode": lambda m, x: m.add(
        "BatchNormalization", x, *(m.normal(6) for _ in range(4)), training_mode=1, outputs=3
    )[0],
    "variance is not positive": lambda m, x: m.add(
        "BatchNormalization", x, *(m.normal(6) for _ in range(3)), -np.ones(6)
    ),
    "reshapes": lambda m, x: m.add("Reshape", x, m.const([0, 6, 36], np.int64)),
    "keep the batch": lambda m, x: m.add("Reshape", x, m.const([6, -1, 7, 5], np.int64)),
    "pads by 'reflect'": lambda m, x: m.add(
        "Pad", x, m.const([0, 0, 1, 1, 0, 0, 1, 1], np.int64), mode="reflect"
    ),
    "is not constant": lambda m, x: m.add("Conv", x, x),
    "do not fit its input": lambda m, x: m.add("Conv", x, m.signs(4, 5, 3, 3)),
    "a value without pixels": lambda m, x: m.add("Conv", x, m.signs(4, 6, 9, 9)),
    "is not smaller than the kernel": lambda m, x: m.add(
        "MaxPool", x, kernel_shape=[2, 2], pads=[2] * 4
    ),
    "repeats rows or columns": lambda m, x: m.add(
        "Add", x, m.add("ReduceMean", x, axes=[3], keepdims=1)
    ),
    "hold infinity": lambda m, x: m.add("Conv", x, m.signs(4, 6, 3, 3) / np.float32(0)),
    "transposes": lambda m, x: m.add("Transpose", x, perm=[1, 0, 2, 3]),
    "other things than numbers|cannot be computed": lambda m, x: m.add(
        "Mul", x, m.add("Constant", value_string=b"a")
    ),
    "do not fit|cannot be computed|not a valid": lambda m, x: m.add("Mul", x, m.add("Neg", "")),
    "only one threshold for each channel": lambda m, x: m.add(
        "MultiThreshold", x, m.normal(6, 3), domain="finn"
    ),
    "clips to 2.0 to 1.0": lambda m, x: m.add("Clip", x, 2.0, 1.0),
}


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize("reason", OBSTACLES)
def test_obstacles(reason, tmp_path):
    m = OnnxModel()
    x = OBSTACLES[reason](m, m.norm("x", 6))
    path = m.save(tmp_path, m.add("Flatten", m.add("GlobalAveragePool", x)),
                  domains=["mine", "finn"])  # fmt: skip
    refused(path, reason, allow_float=True)


def test_constants_of_an_unknown_domain_in_a_fixed_batch(tmp_path):
    m = OnnxModel()
    scale = m.add("Add", m.normal(6, 1, 1), m.normal(6, 1, 1), domain="mine")
    y = m.float_head(m.add("Mul", m.norm("x", 6), scale), 6)
    path = m.save(tmp_path, y, batch=2, domains=["mine"])
    refused(path, "of the domain 'mine'", allow_float=True)


def test_what_stays_in_float_runs(tmp_path):
    m = OnnxModel()
    x = m.add("Conv", "x", m.normal(8, 6, 3, 3), m.normal(8))
    path = m.save(tmp_path, m.float_head(m.binary(m.add("Sign", x), 8, 8), 8))
    text = refused(path, "2 obstacles")
    assert "its weights are not one magnitude an output channel" in text
    result = imported(path, allow_float=True)
    assert [kept.op for kept in result.report.kept] == ["conv", "linear"]


@pytest.mark.parametrize("length", [0, 1, 100, 400])
def test_damaged_files(length, tmp_path):
    path = small(tmp_path)
    path.write_bytes(path.read_bytes()[:length])
    refused(path, "not an ONNX model|not a valid|cannot be read|obstacle|cut off")


def test_every_cut_and_changed_byte_is_an_error_or_a_model(tmp_path):
    path = small(tmp_path)
    data, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(60):
        hostile = bytearray(data)
        for place in rng.integers(0, min(len(data), 3000), 3):
            hostile[place] = rng.integers(256)
        path.write_bytes(hostile)
        with contextlib.suppress(BnasError):  # anything else fails the test
            assert convert_onnx(path, images=0)[0].tensors


def test_cycles(tmp_path):
    def circle(proto):
        proto.graph.node[0].input[0] = proto.graph.node[-1].output[0]

    refused(changed(small(tmp_path), circle), "in a circle")


def test_too_many_nodes(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_read, "NODE_LIMIT", 5)
    refused(small(tmp_path), "at most 5")


def test_a_file_that_is_too_large(tmp_path):
    path = tmp_path / "huge.onnx"
    with path.open("wb") as stream:
        os.truncate(stream.fileno(), 2**31 + 1)
    refused(path, "larger than")


def dims_of(proto):
    return proto.graph.input[0].type.tensor_type.shape.dim


CHANGES = {
    "extents that are not stated": lambda p: dims_of(p)[2].ClearField("dim_value"),
    "must have shape": lambda p: dims_of(p).pop(),
    "must be float32": lambda p: setattr(p.graph.input[0].type.tensor_type, "elem_type", 11),
    "opset": lambda p: setattr(p.opset_import[0], "version", 6),
    "expected one output": lambda p: p.graph.output.append(p.graph.output[0]),
    "expected one input": lambda p: p.graph.input.append(
        helper.make_tensor_value_info("z", TensorProto.FLOAT, ["N", 3])
    ),
    "functions": lambda p: p.functions.append(
        helper.make_function("mine", "F", ["a"], ["b"], [], [helper.make_opsetid("", 17)])
    ),
    "sparse": lambda p: p.graph.sparse_initializer.append(onnx.SparseTensorProto()),
    "NaN": lambda p: p.graph.initializer[0].CopyFrom(
        numpy_helper.from_array(np.full(6, np.nan, np.float32), p.graph.initializer[0].name)
    ),
    "not a valid ONNX model|cannot be read": lambda p: setattr(
        p.graph.initializer[0], "raw_data", b"123"
    ),
    "is too large": lambda p: setattr(dims_of(p)[2], "dim_value",
                                                                    2**40),
}  # fmt: skip


@pytest.mark.parametrize("match", CHANGES)
def test_bad_models(match, tmp_path):
    refused(changed(small(tmp_path), CHANGES[match]), match)


def with_external(tmp_path, location, **entries):
    folder = tmp_path / "model"
    folder.mkdir()
    path = small(folder)
    proto = onnx.load(path)
    tensor = next(t for t in proto.graph.initializer if t.raw_data)
    data = tensor.raw_data
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=str(value))
    path.write_bytes(proto.SerializeToString())
    return path, data


def test_external_data_beside_the_model(tmp_path):
    path, data = with_external(tmp_path, "weights.bin", offset=16)
    (path.parent / "weights.bin").write_bytes(b"." * 16 + data)
    assert imported(path, allow_float=False).model.tensors


@pytest.mark.parametrize(
    "location", ["../weights.bin", "/etc/hostname", "link.bin", "", "gone.bin"]
)
def test_external_data_elsewhere(location, tmp_path):
    path, data = with_external(tmp_path, location)
    (tmp_path / "weights.bin").write_bytes(data)
    (path.parent / "link.bin").symlink_to(tmp_path / "weights.bin")
    refused(path, "outside the model's folder|states no file|is missing")


@pytest.mark.parametrize(
    "entries", [{"offset": 8}, {"length": 2**40}, {"offset": "-4"}, {"length": 4}]
)
def test_external_data_beyond_the_file(entries, tmp_path):
    path, data = with_external(tmp_path, "weights.bin", **entries)
    (path.parent / "weights.bin").write_bytes(data)
    refused(path, "external data")


@pytest.mark.parametrize(
    "op", ["ConstantOfShape", "Expand", "Range"],
)  # fmt: skip
def test_constants_that_ask_for_endless_memory(op, tmp_path):
    m = OnnxModel()
    sizes = m.const([2**20, 2**20], np.int64)
    inputs = {"ConstantOfShape": [sizes], "Expand": [1.0, sizes]}.get(op)
    if op == "Range":
        inputs = [m.const(n, np.int64) for n in (0, 2**50, 1)]
    total = m.add("ReduceSum", m.add(op, *inputs), m.const([0], np.int64), keepdims=0)
    y = m.add("Flatten", m.add("GlobalAveragePool", m.add("Mul", "x", total)))
    refused(m.save(tmp_path, y), "elements, more than", allow_float=True)


def test_a_wrong_conversion_is_found(tmp_path, monkeypatch):
    from bnas_deploy.converters.from_onnx import source as onnx_source

    monkeypatch.setattr(
        onnx_source, "onnx_logits", lambda _, x, **__: np.ones((len(x), 4), np.float32)
    )
    with pytest.raises(ConversionError, match="differs from ONNX Runtime"):
        convert_onnx(small(tmp_path), images=8, backend="reference")


def size_of_batch(m, *extents):
    """A shape in which N is the size of the batch, as exporters compute it."""
    n = m.add("Unsqueeze", m.add("Gather", m.add("Shape", "x"), m.const(0, np.int64)), m.whole(0))
    parts = [n if extent == "N" else m.whole(extent) for extent in extents]
    return m.add("Concat", *parts, axis=0)


BATCHES = {
    "to [6, N, 35]": lambda m, n: m.add("Reshape", "x", n(6, "N", 35)),
    "to (N, [N, -1])": lambda m, n: m.add("Reshape", "x", n("N", "N", -1)),
    "to (N, [6, N, 5])": lambda m, n: m.add("Reshape", "x", n("N", 6, "N", 5)),
    "to [2N, 105]": lambda m, n: m.add("Reshape", "x", m.add("Mul", n("N", 105), m.whole(2, 1))),
    "to [N, 6, 7, N]": lambda m, n: m.add("Expand", "x", n("N", 6, 7, "N")),
    "(Slice): it computes with the batch size": lambda m, n: m.add(
        "Slice", "x", n("N"), m.whole(6), m.whole(1)
    ),
    "(Pad): it computes with the batch size": lambda m, n: m.add(
        "Pad", "x", n(0, 0, "N", "N", 0, 0, 0, 0)
    ),
    "(Gather): it computes with the batch size": lambda m, n: m.add("Gather", "x", n("N"), axis=1),
    "(Split): it computes with the batch size": lambda m, n: m.add(
        "Split", "x", n("N", 3), axis=1, outputs=2
    )[0],
    "(Squeeze): it computes with the batch size": lambda m, n: m.add("Squeeze", "x", n("N")),
    "(Unsqueeze): it computes with the batch size": lambda m, n: m.add("Unsqueeze", "x", n("N")),
    "(ReduceSum): it computes with the batch size": lambda m, n: m.add("ReduceSum", "x", n("N")),
    "(Mul): it computes with the batch size": lambda m, n: m.add(
        "Mul", "x", m.add("Cast", n("N"), to=TensorProto.FLOAT)
    ),
    "(Tile): this operator is not understood": lambda m, n: m.add("Tile", "x", n(1, "N", 1, 1)),
    "(TopK): this operator is not understood": lambda m, n: m.add("TopK", "x", n("N"), outputs=2)[
        0
    ],
}


@pytest.mark.parametrize("message", BATCHES)
def test_no_message_shows_what_stands_for_the_batch(message, tmp_path):
    m = OnnxModel()
    y = BATCHES[message](m, lambda *extents: size_of_batch(m, *extents))
    path = m.save(tmp_path, m.add("Flatten", m.add("GlobalAveragePool", y)))
    text = refused(path, "obstacle", allow_float=True)
    assert message in text
    assert not re.search(r"\d{9}", text)


def test_a_batch_in_a_shape_is_read_as_one(tmp_path):
    m = OnnxModel()
    y = m.add("Reshape", m.add("GlobalAveragePool", "x"), size_of_batch(m, "N", 6))
    result = imported(m.save(tmp_path, y))
    assert not any(re.search(r"\d{9}", note) for note in result.notes)
