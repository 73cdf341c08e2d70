"""Models with channels in the last place, and with an answer behind the logits, as TensorFlow's."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper
from support.onnx_models import TOLERANCE, Imported, OnnxModel

from bnas_deploy.converters.from_onnx.convert import convert_onnx
from bnas_deploy.errors import ConversionError

LAST, FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
C, H, W = 6, 7, 5


def converted(path):
    """The import, its answers compared with those of ONNX Runtime on the way."""
    result = Imported(*convert_onnx(path, allow_float=True, images=16))
    assert result.report.self_check.relative_error <= TOLERANCE
    return result


def first(m, x):
    return m.add("Transpose", x, perm=FIRST)


def last(m, x):
    return m.add("Transpose", x, perm=LAST)


def convolved(m, x, channels=8):
    return m.binary(m.add("Sign", m.norm(x, C)), C, channels)


def test_an_input_whose_channels_come_last(tmp_path):
    m = OnnxModel((H, W, C))
    y = m.head(convolved(m, first(m, "x")), 8)
    program = converted(m.save(tmp_path, y)).model.program
    assert program.values[program.input].shape == (C, H, W)


def test_pictures_may_be_given_either_way(tmp_path):
    m = OnnxModel((H, W, C))
    path = m.save(tmp_path, m.head(convolved(m, first(m, "x")), 8))
    images = np.random.default_rng(2).standard_normal((4, H, W, C)).astype(np.float32)
    either = [Imported(*convert_onnx(path, images=x)) for x in (images, np.moveaxis(images, 3, 1))]
    checks = [result.report.self_check for result in either]
    assert checks[0] == checks[1]
    assert checks[0].relative_error <= TOLERANCE


def test_a_scale_in_front_of_the_transpose(tmp_path):
    m = OnnxModel((H, W, C))
    x = m.add("Sub", m.add("Mul", "x", m.normal(C)), m.normal(1, 1, 1, C))
    converted(m.save(tmp_path, m.head(convolved(m, first(m, x)), 8)))


@pytest.mark.parametrize("binary", [True, False])
def test_a_linear_layer_on_pixels_whose_channels_come_last(tmp_path, binary):
    m = OnnxModel((H, W, C))
    x = last(m, m.norm(convolved(m, first(m, "x")), 8))
    weights = (m.signs if binary else m.normal)(8 * H * W, 4)
    flat = m.add("Reshape", m.add("Sign", x), m.const([-1, 8 * H * W], np.int64))
    converted(m.save(tmp_path, m.add("MatMul", flat, weights)))


def test_back_and_forth_between_layers(tmp_path):
    m = OnnxModel((C, H, W))
    x = last(m, convolved(m, "x"))
    x = m.add("Relu", m.add("Add", m.add("Mul", x, m.normal(8)), x))
    converted(m.save(tmp_path, m.head(first(m, x), 8)))


def test_joined_channels_and_a_mean_over_pixels(tmp_path):
    m = OnnxModel((C, H, W))
    x, y = last(m, convolved(m, "x")), last(m, m.add("Relu", "x"))
    x = m.add("Concat", x, y, axis=3)
    x = m.add("ReduceMean", x, axes=[1, 2], keepdims=0)
    converted(m.save(tmp_path, m.add("Gemm", x, m.normal(8 + C, 4), m.normal(4))))


def test_a_kept_mean_over_pixels(tmp_path):
    m = OnnxModel((C, H, W))
    x = m.add("ReduceMean", last(m, convolved(m, "x")), axes=[1, 2])
    x = m.add("Squeeze", x, m.const([1, 2], np.int64))
    converted(m.save(tmp_path, m.add("MatMul", x, m.normal(8, 4))))


def test_one_order_is_not_taken_for_the_other(tmp_path):
    m = OnnxModel((5, 5, 5))
    x = m.add("Sign", m.norm("x", 5))
    y = m.add("Add", x, last(m, x))  # the same extents, another order
    with pytest.raises(ConversionError, match="works on a value of shape"):
        converted(m.save(tmp_path, m.head(m.add("Relu", y), 5)))


def test_a_layer_on_channels_that_come_last(tmp_path):
    m = OnnxModel((5, 5, 5))
    x = m.binary(m.add("Sign", last(m, m.norm("x", 5))), 5, 5)
    with pytest.raises(ConversionError, match=r"works on a value of shape \(N, 5, 5, 5\)"):
        converted(m.save(tmp_path, m.head(x, 5)))


def gated(m, x, gate, channels=8):
    """A value times a gate of one number a channel, and a head."""
    return m.head(m.add("Mul", x, gate), channels)


def test_a_sign_that_looks_through_a_clip_keeps_the_order_of_axes(tmp_path):
    m = OnnxModel((C, H, W))
    x = m.add("Clip", m.norm("x", C), -0.5, 0.7)
    flat = m.add("Flatten", m.add("Sign", last(m, x)))
    converted(m.save(tmp_path, m.add("Gemm", flat, m.signs(C * H * W, 4))))


def test_a_steep_clip_keeps_the_order_of_axes(tmp_path):
    m = OnnxModel((C, H, W))
    x = last(m, m.add("Mul", m.norm("x", C), 1e7))
    flat = m.add("Flatten", m.add("Clip", x, -1.0, 1.0))
    converted(m.save(tmp_path, m.add("Gemm", flat, m.signs(C * H * W, 4))))


def test_gates_are_repeated_as_onnx_does(tmp_path):
    m = OnnxModel((C, H, W))
    x = last(m, m.norm(convolved(m, "x"), 8))
    gate = m.add("Sigmoid", m.add("ReduceMean", x, axes=[1, 2]))
    converted(m.save(tmp_path, gated(m, first(m, m.add("Mul", x, gate)), 1.0)))


def test_a_gate_that_would_be_repeated_along_another_axis(tmp_path):
    m = OnnxModel((5, 5, 5))
    x = m.norm("x", 5)
    gate = m.add("ReduceMean", last(m, x), axes=[1, 2])  # (N, 1, 1, 5): along the width
    with pytest.raises(ConversionError, match="multiplies values"):
        converted(m.save(tmp_path, gated(m, x, gate, 5)))


def test_joined_pixels_are_not_joined_channels(tmp_path):
    m = OnnxModel((C, H, W))
    x = m.add("ReduceMean", last(m, convolved(m, "x")), axes=[1, 2])
    both = m.add("ReduceMean", m.add("Concat", x, m.add("Relu", x), axis=1), axes=[1], keepdims=0)
    converted(m.save(tmp_path, m.add("Flatten", both)))


def test_joined_channels_of_single_pixels(tmp_path):
    m = OnnxModel((C, H, W))
    x = m.add("ReduceMean", last(m, convolved(m, "x")), axes=[1, 2])
    flat = m.add("Flatten", m.add("Concat", x, x, axis=3))
    converted(m.save(tmp_path, m.add("Gemm", flat, m.normal(16, 4))))


def test_a_single_pixel_may_be_turned(tmp_path):
    m = OnnxModel((C, H, W))
    x = last(m, m.add("GlobalAveragePool", convolved(m, "x")))
    converted(m.save(tmp_path, m.add("Gemm", m.add("Flatten", x), m.normal(8, 4))))


def test_a_mean_of_signs_of_magnitudes_is_no_mean_of_magnitudes(tmp_path):
    m = OnnxModel((C, H, W))
    x = m.add("Sign", m.add("Abs", m.norm("x", C)))
    x = m.add("Mul", m.add("ReduceMean", x, axes=[1]), m.norm("x", C))
    program = converted(m.save(tmp_path, m.head(x, C))).model.program
    assert "mean_magnitude" not in [step.OP for step in program.steps]


ANSWERS = {
    "Softmax": lambda m, y: m.add("Softmax", y),
    "LogSoftmax": lambda m, y: m.add("LogSoftmax", y, axis=1),
    "ArgMax": lambda m, y: m.add("ArgMax", y, axis=-1, keepdims=0),
    "Softmax and ArgMax": lambda m, y: m.add(
        "ArgMax", m.add("Softmax", y, axis=1), axis=1, keepdims=0
    ),
    "Softmax, passed on": lambda m, y: m.add("Identity", m.add("Softmax", y)),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_behind_the_logits_is_left_out(tmp_path, answer):
    m = OnnxModel()
    logits = m.head(convolved(m, "x"), 8)
    plain = convert_onnx(m.save(tmp_path, logits), images=0)[0]
    y = ANSWERS[answer](m, logits)
    proto = m.proto(y)
    if "ArgMax" in answer:
        del proto.graph.output[:]
        proto.graph.output.append(helper.make_tensor_value_info(y, TensorProto.INT64, ["N"]))
    path = tmp_path / "answer.onnx"
    path.write_bytes(proto.SerializeToString())
    result = converted(path)
    (note,) = [note for note in result.notes if "behind the logits" in note]
    assert note.startswith(answer.partition(",")[0] + " behind")
    assert plain.program == result.model.program


LATE = {
    "Softmax": lambda m, x: m.add("Flatten", m.add("Softmax", x, axis=3)),
    "ArgMax": lambda m, x: m.add("ArgMax", x, axis=-1, keepdims=1),
    "Softmax of old": lambda m, x: m.add("Flatten", m.add("Softmax", x, axis=2)),
}


@pytest.mark.parametrize("answer", LATE)
def test_an_answer_over_classes_that_come_last(tmp_path, answer):
    m = OnnxModel(opset=12 if answer == "Softmax of old" else 17)
    x = m.binary(m.add("Sign", m.norm("x", C)), C, 5)
    y = LATE[answer](m, last(m, m.add("GlobalAveragePool", x)))
    proto = m.proto(y)
    if answer == "ArgMax":
        del proto.graph.output[:]
        kind = helper.make_tensor_value_info(y, TensorProto.INT64, ["N", 1, 1, 1])
        proto.graph.output.append(kind)
    path = tmp_path / "answer.onnx"
    path.write_bytes(proto.SerializeToString())
    assert any("behind the logits" in note for note in converted(path).notes)


def test_softmax_over_something_else_than_the_classes(tmp_path):
    m = OnnxModel()
    x = m.add("GlobalAveragePool", convolved(m, "x"))
    with pytest.raises(ConversionError, match="only at the end, over the classes"):
        converted(m.save(tmp_path, m.add("Flatten", m.add("Softmax", x, axis=-1))))


def test_softmax_of_a_single_pixel_before_opset_13(tmp_path):
    m = OnnxModel(opset=12)
    path = m.save(tmp_path, m.add("Softmax", m.add("GlobalAveragePool", convolved(m, "x"))))
    assert "Softmax behind" in " ".join(converted(path).notes)


def test_softmax_within_the_network(tmp_path):
    m = OnnxModel()
    y = m.add("Softmax", m.head(convolved(m, "x"), 8))
    y = m.add("Mul", y, np.float32(2))
    with pytest.raises(ConversionError, match="only at the end, over the classes"):
        converted(m.save(tmp_path, y))
