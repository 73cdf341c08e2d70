"""Each operator that is understood, against ONNX Runtime, in reference and native engine."""

from __future__ import annotations

import numpy as np
import pytest
from support.onnx_models import OnnxModel, imported, steps

INT64 = np.int64


def shuffled(m, x):
    """The six channels in another order."""
    x = m.add("Transpose", m.add("Reshape", x, m.whole(0, 3, 2, 7, 5)), perm=[0, 2, 1, 3, 4])
    return m.add("Reshape", x, m.whole(0, 6, 7, 5))


FLOATS = {
    "PRelu": lambda m, x: m.add("PRelu", x, m.normal(6, 1, 1)),
    "LeakyRelu": lambda m, x: m.add("LeakyRelu", x, alpha=0.2),
    "HardTanh": lambda m, x: m.add("Clip", x, -1.0, 1.0),
    "ReLU6": lambda m, x: m.add("Clip", x, 0.0, 0.7),
    "Clip above zero": lambda m, x: m.add("Clip", x, 0.1, 0.9),
    "bounds of each channel": lambda m, x: m.add(
        "Min", m.add("Max", m.normal(6, 1, 1), x), m.normal(6, 1, 1)
    ),
    "Sigmoid": lambda m, x: m.add("Sigmoid", x),
    "HardSigmoid": lambda m, x: m.add("HardSigmoid", x, alpha=0.3, beta=0.4),
    "HardSwish": lambda m, x: m.add("HardSwish", x),
    "gate of each channel": lambda m, x: m.add(
        "Mul", x, m.add("Sigmoid", m.add("GlobalAveragePool", x))
    ),
    "product": lambda m, x: m.add("Mul", x, "x"),
    "map of one channel": lambda m, x: m.add("Mul", x, m.normal(7, 5)),
    "map of all channels": lambda m, x: m.add("Div", x, m.normal(6, 7, 5) + np.float32(5)),
    "positions": lambda m, x: m.add("Sub", m.add("Add", x, m.normal(6, 7, 5)), m.normal(1, 7, 1)),
    "x - mean(x)": lambda m, x: m.add("Sub", x, m.add("GlobalAveragePool", x)),
    "mean of channels + x": lambda m, x: m.add(
        "Add", m.add("ReduceMean", x, axes=[1], keepdims=1), x
    ),
    "Max of two": lambda m, x: m.add("Max", x, m.add("Mul", "x", 2.0), 0.1),
    "Min of two": lambda m, x: m.add("Min", m.add("GlobalAveragePool", x), x),
    "Pow": lambda m, x: m.add("Pow", x, 3.0),
    "MatMul of channels": lambda m, x: m.add(
        "Transpose",
        m.add("MatMul", m.add("Transpose", x, perm=[0, 2, 3, 1]), m.normal(6, 6)),
        perm=[0, 3, 1, 2],
    ),
    "MatMul of tokens": lambda m, x: m.add(
        "Reshape",
        m.add("MatMul", m.normal(6, 6), m.add("Reshape", x, m.whole(0, 6, -1))),
        m.whole(0, 6, 7, 5),
    ),
    "MatMul of shuffled channels": lambda m, x: m.add(
        "Transpose",
        m.add("MatMul", m.add("Transpose", shuffled(m, x), perm=[0, 2, 3, 1]), m.normal(6, 6)),
        perm=[0, 3, 1, 2],
    ),
    "Einsum": lambda m, x: m.add("Einsum", m.normal(6, 6), x, equation="oc,nchw->nohw"),
    "Einsum to channels last": lambda m, x: m.add(
        "Transpose",
        m.add("Einsum", x, m.normal(6, 6), equation="nchw, co -> nhwo"),
        perm=[0, 3, 1, 2],
    ),
    "shuffled and not": lambda m, x: m.add("Add", m.add("Mul", shuffled(m, x), 0.3), x),
    "shuffled, chosen": lambda m, x: m.add(
        "Where", m.add("Greater", m.add("Mul", shuffled(m, x), 0.3), 0.1), x, m.normal(6, 1, 1)
    ),
    "compared with what is shuffled": lambda m, x: m.add(
        "Where", m.add("Less", m.add("Mul", shuffled(m, x), 0.3), x), 1.0, -0.5
    ),
    "chosen by one channel": lambda m, x: m.add(
        "Where", m.add("Less", m.add("ReduceMean", x, axes=[1], keepdims=1), 0.1), x, 0.5
    ),
    "Clip below": lambda m, x: m.add("Clip", x, -0.5),
    "Max": lambda m, x: m.add("Max", x, 0.0),
    "Min": lambda m, x: m.add("Min", 0.5, x),
    "Abs": lambda m, x: m.add("Abs", x),
    "Neg": lambda m, x: m.add("Neg", x),
    "Add": lambda m, x: m.add("Add", x, m.normal(1, 6, 1, 1)),
    "Sub": lambda m, x: m.add("Sub", 0.3, x),
    "Mul": lambda m, x: m.add("Mul", m.normal(6, 1, 1), x),
    "Div": lambda m, x: m.add("Div", x, m.normal(6, 1, 1) + np.float32(3)),
    "Sum": lambda m, x: m.add("Sum", x, "x", x),
    "difference": lambda m, x: m.add("Sub", x, "x"),
    "MaxPool": lambda m, x: m.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4),
    "MaxPool ceil": lambda m, x: m.add(
        "MaxPool", x, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1
    ),
    "MaxPool same": lambda m, x: m.add(
        "MaxPool", x, kernel_shape=[3, 2], strides=[2, 2], auto_pad="SAME_UPPER"
    ),
    "AveragePool": lambda m, x: m.add("AveragePool", x, kernel_shape=[3, 3], pads=[1, 0, 0, 1]),
    "AveragePool counted": lambda m, x: m.add(
        "AveragePool", x, kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=1
    ),
    "GlobalMaxPool": lambda m, x: m.add("GlobalMaxPool", x),
    "Identity": lambda m, x: m.add("Dropout", m.add("Identity", x)),
    "rows": lambda m, x: m.add(
        "Slice", x, m.whole(0, 0), m.whole(99, 99), m.whole(2, 3), m.whole(2, 2)
    ),
    "channels": lambda m, x: m.add("Gather", x, m.whole(5, 0, 1, -1), axis=1),
    "more channels": lambda m, x: m.add("Pad", x, m.whole(0, 2, 0, 0, 0, 1, 0, 0)),
    "Split": lambda m, x: m.add(
        "Concat", *m.add("Split", x, m.whole(2, 4), outputs=2, axis=1), axis=1
    ),
    "float convolution": lambda m, x: m.add("Conv", x, m.normal(6, 6, 3, 3), m.normal(6)),
    "float groups": lambda m, x: m.add("Conv", x, m.normal(6, 2, 3, 3), group=3, pads=[1] * 4),
    "padded with ones": lambda m, x: m.add(
        "Conv", m.add("Pad", x, m.whole(0, 0, 1, 2, 0, 0, 0, 1), 1.0), m.normal(4, 6, 3, 3)
    ),
    "XNOR-Net's K": lambda m, x: m.add(
        "Mul", x, m.add("ReduceMean", m.add("Abs", x), axes=[1], keepdims=1)
    ),
}


@pytest.mark.parametrize("operator", FLOATS)
@pytest.mark.parametrize("signs", [False, True])
def test_operators_on_floats_and_on_signs(operator, signs, tmp_path):
    if signs and operator == "XNOR-Net's K":
        return  # the mean of the magnitudes of signs is 1
    m = OnnxModel()
    x = m.norm("x", 6)
    x = FLOATS[operator](m, m.add("Sign", x) if signs else x)
    channels = {"channels": 4, "more channels": 9, "padded with ones": 4}.get(operator, 6)
    x = m.binary(m.add("Where", m.add("Greater", x, 0.1), 1.0, -1.0), channels, 8)
    imported(m.save(tmp_path, m.float_head(x, 8)))


def test_gelu_of_tanh(tmp_path):
    m = OnnxModel(opset=20)
    x = m.add("Gelu", m.norm("x", 6), approximate="tanh")
    imported(m.save(tmp_path, m.float_head(x, 6)))


@pytest.mark.parametrize(("operator", "product"), [("HardSigmoid", 0), ("HardSwish", 1)])
def test_hard_sigmoids_are_one_step(operator, product, tmp_path):
    m = OnnxModel()
    x = FLOATS[operator](m, m.norm("x", 6))
    path = m.save(tmp_path, m.float_head(m.add("Conv", x, m.normal(8, 6, 3, 3)), 8))
    found = steps(imported(path))
    assert (found.count("hard_sigmoid"), found.count("multiply")) == (1, product)
    assert "clip" not in found


@pytest.mark.parametrize("operator", ["shuffled and not", "shuffled, chosen", "x - mean(x)"])
def test_values_in_different_orders_with_channels_last(operator, tmp_path):
    m = OnnxModel()
    x = m.norm("x", 6)
    y = m.add("Transpose", shuffled(m, x), perm=[0, 2, 3, 1])
    x = m.add("Transpose", x, perm=[0, 2, 3, 1])
    if operator == "shuffled and not":
        x = m.add("Sub", m.add("Mul", y, 0.3), x)
    elif operator == "x - mean(x)":
        x = m.add("Sub", x, m.add("ReduceMean", y, axes=[1, 2], keepdims=1))
    else:
        x = m.add("Where", m.add("LessOrEqual", x, m.add("Mul", y, 0.3)), x, y)
    x = m.add("Transpose", x, perm=[0, 3, 1, 2])
    imported(m.save(tmp_path, m.float_head(x, 6)))


@pytest.mark.parametrize("left", [False, True])
def test_signs_times_a_matrix_are_a_binary_layer(left, tmp_path):
    m = OnnxModel()
    x = m.add("Where", m.add("GreaterOrEqual", m.norm("x", 6), 0.0), 1.0, -1.0)
    if left:
        x = m.add("MatMul", m.signs(8, 6), m.add("Reshape", x, m.whole(0, 6, -1)))
        x = m.add("Reshape", x, m.whole(0, 8, 7, 5))
    else:
        x = m.add("MatMul", m.add("Transpose", x, perm=[0, 2, 3, 1]), m.signs(6, 8))
        x = m.add("Transpose", x, perm=[0, 3, 1, 2])
    result = imported(m.save(tmp_path, m.head(x, 8)), allow_float=False)
    assert steps(result).count("binary_conv2d") == 2


WINDOWS = {
    "plain": {"pads": [0] * 4},
    "padded": {"pads": [1] * 4},
    "uneven": {"pads": [2, 0, 1, 1]},
    "stride": {"pads": [1] * 4, "strides": [2, 3]},
    "dilation": {"pads": [2] * 4, "dilations": [2, 1]},
    "same upper": {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
    "same lower": {"auto_pad": "SAME_LOWER"},
    "valid": {"auto_pad": "VALID"},
}


@pytest.mark.parametrize("window", WINDOWS)
def test_windows_of_binary_convolutions(window, tmp_path):
    m = OnnxModel()
    x = m.add("Conv", m.add("Sign", m.norm("x", 6)), m.signs(8, 6, 3, 3), **WINDOWS[window])
    result = imported(m.save(tmp_path, m.head(x, 8)), allow_float=False)
    assert steps(result).count("binary_conv2d") == 2


@pytest.mark.parametrize("value", [-1.0, 0.0, 1.0, 0.5, 0.3])
@pytest.mark.parametrize("before", [False, True])
def test_borders_of_any_number(value, before, tmp_path):
    m = OnnxModel()
    x, pads = m.norm("x", 6), m.const([0, 0, 1, 2, 0, 0, 1, 1], INT64)
    if before:
        x = m.add("Where", m.add("GreaterOrEqual", m.add("Pad", x, pads, value), 0.0), 1.0, -1.0)
    else:
        x = m.add("Pad", m.add("Sign", x), pads, value)
    x = m.add("Conv", x, m.signs(8, 6, 3, 3))
    path = m.save(tmp_path, m.head(x, 8))
    apart = value == 0.3 and not before  # a filter of its own counts what is inside
    assert steps(imported(path, allow_float=False)).count("binary_conv2d") == 2 + apart


@pytest.mark.parametrize("groups", [2, 3, 6])
@pytest.mark.parametrize("spelling", ["Sign", "Greater"])
def test_groups(groups, spelling, tmp_path):
    m = OnnxModel()
    x = m.norm("x", 6)
    x = m.add("Sign", x) if spelling == "Sign" else m.add(
        "Where", m.add("Greater", x, 0.0), 1.0, -1.0
    )  # fmt: skip
    x = m.binary(x, 6, 6, group=groups)
    kinds = steps(imported(m.save(tmp_path, m.head(x, 6)), allow_float=False))
    assert ("binary_depthwise_conv2d" in kinds) is (groups == 6 and spelling == "Greater")


@pytest.mark.parametrize(("groups", "outputs"), [(2, 4), (4, 8), (8, 16), (16, 32)])
def test_groups_are_one_step(groups, outputs, tmp_path):
    m = OnnxModel((16, 6, 5))
    x = m.add("Where", m.add("GreaterOrEqual", m.norm("x", 16), 0.0), 0.5, -0.5)
    weight = m.signs(outputs, 16 // groups, 3, 3)
    x = m.add("Conv", x, weight, group=groups, pads=[1] * 4)
    result = imported(m.save(tmp_path, m.head(x, outputs)), allow_float=False)
    assert steps(result).count("binary_grouped_conv2d") == 1
    assert steps(result).count("binary_conv2d") == 1


def test_float_groups_are_one_step(tmp_path):
    m = OnnxModel()
    x = m.add("Conv", m.norm("x", 6), m.normal(6, 1, 3, 3), group=6, pads=[1] * 4)
    x = m.binary(m.add("Where", m.add("Greater", x, 0.1), 1.0, -1.0), 6, 8)
    assert "grouped_conv2d" in steps(imported(m.save(tmp_path, m.float_head(x, 8))))


@pytest.mark.parametrize("shape", [(3, 2, 2), (5, 3, 1), (7, 1, 1)])
def test_a_batch_norm_of_a_flattened_image(shape, tmp_path):
    m, count = OnnxModel(shape), int(np.prod(shape))
    x = m.norm(m.add("Flatten", m.norm("x", shape[0])), count)
    x = m.add("Where", m.add("GreaterOrEqual", x, 0.0), 1.0, -1.0)
    x = m.norm(m.add("MatMul", x, m.signs(count, 10)), 10)
    imported(m.save(tmp_path, x), allow_float=False)


def test_wide_groups_of_signs_that_may_be_0_are_convolutions_of_their_own(tmp_path):
    m = OnnxModel((16, 6, 5))
    x = m.binary(m.add("Sign", m.norm("x", 16)), 16, 10, group=2)
    path = m.save(tmp_path, m.head(x, 10))
    result = imported(path, allow_float=False, sign_zero="exact")
    assert steps(result).count("binary_conv2d") == 3


WEIGHTS = {
    "scaled": lambda m, w: m.const(w * m.rng.random((8, 1, 1, 1))),
    "Sign": lambda m, w: m.add("Sign", m.const(w * m.rng.random(w.shape))),
    "Where": lambda m, w: m.add("Where", m.add("Less", m.const(w), 0.0), -0.5, 0.5),
    "DequantizeLinear": lambda m, w: m.add(
        "DequantizeLinear",
        m.const(w, np.int8),
        m.rng.random(8).astype(np.float32),
        m.const(np.zeros(8), np.int8),
        axis=0,
    ),
    "Sign times mean": lambda m, w: m.add(
        "Mul",
        m.add("Sign", m.const(w)),
        m.add("ReduceMean", m.add("Abs", m.normal(*w.shape)), axes=[1, 2, 3], keepdims=1),
    ),
    "ternary": lambda m, w: m.const(w * (m.rng.random(w.shape) < 0.7)),
    "a channel of zeros": lambda m, w: m.const(w * (np.arange(8) != 3)[:, None, None, None]),
    "reshaped": lambda m, w: m.add(
        "Reshape", m.add("Transpose", m.const(w.reshape(8, -1).T), perm=[1, 0]),
        m.whole(*w.shape),
    ),
}  # fmt: skip


@pytest.mark.parametrize("spelling", WEIGHTS)
def test_binary_weights(spelling, tmp_path):
    m = OnnxModel()
    weight = WEIGHTS[spelling](m, m.signs(8, 6, 3, 3))
    x = m.add("Conv", m.add("Sign", m.norm("x", 6)), weight, m.normal(8), pads=[1] * 4)
    result = imported(m.save(tmp_path, m.head(x, 8)), allow_float=False)
    assert steps(result).count("binary_conv2d") == 2


@pytest.mark.parametrize("activation", ["PRelu", "Clip"])
def test_an_activation_does_not_repeat_the_convolution_before_it(activation, tmp_path):
    m = OnnxModel()
    x = m.binary(m.add("Sign", m.norm("x", 6)), 6, 8)
    x = m.add("PRelu", x, 0.25) if activation == "PRelu" else m.add("Clip", x, -1.0, 1.0)
    result = imported(m.save(tmp_path, m.head(x, 8)), allow_float=False)
    assert steps(result).count("binary_conv2d") == 2
