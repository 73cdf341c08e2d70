"""Each builtin operator of TensorFlow Lite that is understood, packed and in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from support.tflite_models import TfliteNet, imported

from bnas_deploy.converters.from_tflite.operators.translate import RULES
from bnas_deploy.converters.from_tflite.original.evaluate import EVALUATORS

CHANNELS = 6
IMAGE = (1, 7, 5, CHANNELS)
WINDOW = {"StrideH": 2, "StrideW": 1}


def case(op, *inputs, shape=IMAGE, **options):
    return lambda net, x: net.add(op, x, *inputs, shape=shape, **options)


def conv(shape, weight, bias=True, **options):
    def made(net, x):
        given = [net.normal(*weight), *([net.normal(weight[0])] if bias else [])]
        return net.add("CONV_2D", x, *given, shape=shape, **{**WINDOW, **options})

    return made


def depthwise(times, **options):
    def made(net, x):
        weight = net.normal(1, 3, 3, CHANNELS * times)
        shape = (1, 4, 5, CHANNELS * times)
        given = (weight, net.normal(CHANNELS * times))
        return net.add("DEPTHWISE_CONV_2D", x, *given, shape=shape, **WINDOW, **options)

    return made


def pool(op, shape, padding, **options):
    sizes = {"FilterHeight": 3, "FilterWidth": 2, "Padding": padding, **WINDOW}
    return lambda net, x: net.add(op, x, shape=shape, **sizes, **options)


def chosen(net, x):
    """A sign as a larq model has it: compare, and choose."""
    above = net.add("GREATER_EQUAL", x, np.float32(0.1), kind="BOOL")
    below = net.add("LOGICAL_NOT", above, kind="BOOL")
    return net.add("SELECT_V2", below, np.float32(-1), np.float32(1), shape=IMAGE)


def gate(net, x):
    """Squeeze and excitation: a factor of lower rank."""
    y = net.add("AVERAGE_POOL_2D", x, shape=(1, 1, 1, CHANNELS), FilterHeight=7, FilterWidth=5,
                StrideH=7, StrideW=5, Padding=1)  # fmt: skip
    y = net.add("FULLY_CONNECTED", y, net.normal(CHANNELS, CHANNELS), shape=(1, CHANNELS))
    return net.add("MUL", x, net.add("LOGISTIC", y), shape=IMAGE)


def split(net, x):
    a, b = net.add("SPLIT", np.int32(3), x, shape=[(1, 7, 5, 3)] * 2)
    return net.add("CONCATENATION", b, a, shape=IMAGE, Axis=-1)


def split_v(net, x):
    parts = net.add("SPLIT_V", x, np.array([1, 5]), np.int32(3), shape=[(1, 7, 5, 1), (1, 7, 5, 5)])
    return net.add("CONCATENATION", *parts[::-1], shape=IMAGE, Axis=3, FusedActivationFunction=1)


def whole(net, x):
    """Everything into the channels, and a linear layer on them."""
    x = net.add("RESHAPE", x, np.array([1, -1]), shape=(1, 210))
    return net.add("FULLY_CONNECTED", x, net.normal(4, 210), shape=(1, 4))


def product(net, x):
    """A matrix times the channels of one pixel, turned and not."""
    x = net.add("MEAN", x, np.array([1, 2]), shape=(1, 6))
    x = net.add("BATCH_MATMUL", x, net.normal(6, 5), shape=(1, 5), AdjY=False)
    return net.add("BATCH_MATMUL", x, net.normal(4, 5), shape=(1, 4), AdjY=True)


def pixels(net, x):
    """A linear layer on the channels of each pixel."""
    weight = net.normal(4, CHANNELS)
    shape = (1, 7, 5, 4)
    return net.add("FULLY_CONNECTED", x, weight, None, shape=shape, KeepNumDims=True)


def blocks(net, x):
    x = net.add("SLICE", x, np.array([0, 1, 0, 0]), np.array([-1, 6, 4, -1]), shape=(1, 6, 4, 6))
    x = net.add("SPACE_TO_DEPTH", x, shape=(1, 3, 2, 24), BlockSize=2)
    return net.add("CONV_2D", x, net.normal(4, 1, 1, 24), shape=(1, 3, 2, 4), StrideH=1, StrideW=1)


def padded(op, *value):
    def made(net, x):
        pads = np.array([[0, 0], [1, 2], [0, 1], [0, 0]])
        x = net.add(op, x, pads, *value, shape=(1, 10, 6, 6))
        weight = net.normal(4, 3, 3, 6)
        return net.add("CONV_2D", x, weight, shape=(1, 4, 4, 4), Padding=1, **WINDOW)

    return made


def there_and_back(net, x):
    x = net.add("TRANSPOSE", x, np.array([0, 3, 1, 2]), shape=(1, 6, 7, 5))
    x = net.add("TRANSPOSE", x, np.array([0, 2, 3, 1]), shape=IMAGE)
    x = net.add("EXPAND_DIMS", x, np.int32(1), shape=(1, 1, 7, 5, 6))
    return net.add("SQUEEZE", x, shape=IMAGE)


def strided(net, x):
    parts = [np.array(n) for n in ([0, 1, 0, 0], [1, 7, -1, 99], [1, 2, 1, 1])]
    x = net.add("STRIDED_SLICE", x, *parts, shape=(1, 3, 5, 6), BeginMask=1, EndMask=0b1101)
    ends = [np.array(n) for n in ([0, -1, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1])]
    masks = {"ShrinkAxisMask": 0b10, "BeginMask": 0b1101, "EndMask": 0b1101}
    x = net.add("STRIDED_SLICE", x, *ends, shape=(1, 5, 6), **masks)
    return net.add("RESHAPE", x, np.array([1, 1, 5, 6]), shape=(1, 1, 5, 6))


def shapes(net, x):
    """A shape that is computed, as the converters of dynamic batches write it."""
    size = net.add("SHAPE", x, shape=(4,), kind="INT32")
    one = [np.array([n]) for n in (0, 1, 1)]
    batch = net.add("STRIDED_SLICE", size, *one, shape=(), kind="INT32", ShrinkAxisMask=1)
    wanted = net.add("PACK", batch, np.int32(35), np.int32(6), shape=(3,), kind="INT32")
    x = net.add("RESHAPE", x, wanted, shape=(1, 35, 6))
    return net.add("RESHAPE", x, np.array(IMAGE), shape=IMAGE)


def constants(net, x):
    """Weights that other operators make."""
    weight = net.add(
        "TRANSPOSE", net.normal(3, 3, 6, 4), np.array([3, 0, 1, 2]), shape=(4, 3, 3, 6)
    )
    weight = net.add("MUL", weight, np.float32(0.5), shape=(4, 3, 3, 6))
    return net.add("CONV_2D", x, weight, shape=(1, 4, 5, 4), **WINDOW)


CASES = {
    "Conv same": conv((1, 4, 5, 4), (4, 3, 3, 6), FusedActivationFunction=1),
    "Conv valid": conv((1, 3, 3, 4), (4, 3, 3, 6), bias=False, Padding=1),
    "Conv dilated": conv((1, 4, 5, 4), (4, 3, 2, 6), DilationHFactor=2, DilationWFactor=3),
    "Conv groups": conv((1, 4, 5, 4), (4, 3, 3, 3), FusedActivationFunction=3),
    "depthwise": depthwise(1, FusedActivationFunction=2),
    "depthwise times two": depthwise(2),
    "linear, flat": whole,
    "linear, pixels": pixels,
    "products": product,
    "MaxPool same": pool("MAX_POOL_2D", (1, 4, 5, 6), 0),
    "MaxPool valid": pool("MAX_POOL_2D", (1, 3, 4, 6), 1, FusedActivationFunction=1),
    "AveragePool same": pool("AVERAGE_POOL_2D", (1, 4, 5, 6), 0, FusedActivationFunction=3),
    "AveragePool valid": pool("AVERAGE_POOL_2D", (1, 3, 4, 6), 1),
    "mean": case("MEAN", np.array([2, 1]), shape=(1, 1, 1, 6), KeepDims=True),
    "sum of rows": case("SUM", np.array([1]), shape=(1, 1, 5, 6), KeepDims=True),
    "maximum": case("REDUCE_MAX", np.array([1, 2]), shape=(1, 6), KeepDims=False),
    "minimum": case("REDUCE_MIN", np.array([1, 2]), shape=(1, 6), KeepDims=False),
    "Add": lambda net, x: net.add("ADD", net.normal(6), x, shape=IMAGE, FusedActivationFunction=1),
    "two values": lambda net, x: net.add("SUB", x, 0, FusedActivationFunction=2),
    "Mul": lambda net, x: net.add("MUL", x, net.normal(1, 1, 1, 6)),
    "Div": lambda net, x: net.add("DIV", x, np.float32(3)),
    "gate": gate,
    "Max": case("MAXIMUM", np.float32(-0.2)),
    "Min": case("MINIMUM", np.float32(0.3)),
    "Relu": case("RELU"),
    "Relu6": case("RELU6"),
    "hard tanh": case("RELU_N1_TO_1"),
    "Relu to 1": case("RELU_0_TO_1"),
    "LeakyRelu": case("LEAKY_RELU", Alpha=0.25),
    "PRelu": lambda net, x: net.add("PRELU", x, net.normal(1, 1, 6)),
    "Sigmoid": case("LOGISTIC"),
    "HardSwish": case("HARD_SWISH"),
    "Abs": case("ABS"),
    "Neg": case("NEG"),
    "Square": lambda net, x: net.add("SQUARE", x),
    "Sign": case("SIGN"),
    "compare and choose": chosen,
    "Cast": lambda net, x: net.add("CAST", net.add("GREATER", x, np.float32(0), kind="BOOL")),
    "Pad": padded("PAD"),
    "Pad with ones": padded("PADV2", np.float32(1)),
    "Split": split,
    "SplitV": split_v,
    "Gather": lambda net, x: net.add("GATHER", x, np.array([5, 0, 3]), shape=(1, 7, 5, 3), Axis=3),
    "blocks": blocks,
    "there and back": there_and_back,
    "strided": strided,
    "shapes": shapes,
    "constants": constants,
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_operators_on_floats(name, tmp_path):
    net = TfliteNet(*IMAGE[1:])
    x = net.add("MUL", 0, net.normal(CHANNELS), shape=IMAGE)
    x = CASES[name](net, net.add("ADD", x, net.normal(CHANNELS), shape=IMAGE))
    if len(net.shape(x)) == 4:
        # Or the mean of the image would be the same in any order of its pixels.
        x = net.add("MUL", x, net.normal(*net.shape(x)[1:]))
    imported(net.save(tmp_path, net.head(x)))


@pytest.mark.parametrize("name", ["Pad", "MaxPool same", "Split", "there and back", "strided"])
def test_operators_on_signs(name, tmp_path):
    net = TfliteNet(*IMAGE[1:])
    x = net.add("LceQuantize", 0, shape=(1, 7, 5, 1), kind="INT32")
    x = CASES[name](net, net.add("LceDequantize", x, shape=IMAGE))
    imported(net.save(tmp_path, net.head(x)))


def test_the_same_operators_are_translated_and_computed():
    # Those beyond are computed for shapes, which are constants where they are translated.
    assert set(EVALUATORS) - set(RULES) == {"PACK", "SHAPE"}
    assert set(RULES) - set(EVALUATORS) == set()
