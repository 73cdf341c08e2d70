"""The operators of larq's Compute Engine against loops over every output, and packed."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from support.tflite_models import TfliteNet, imported, packed

from bnas_deploy.converters.from_tflite.bits import unpacked
from bnas_deploy.converters.from_tflite.file.read import read_tflite
from bnas_deploy.converters.from_tflite.original.evaluate import evaluated
from bnas_deploy.converters.packing.model_file import ModelFile

SAME, VALID = 0, 1
NONE, RELU, RELU_N1_TO_1, RELU6 = 0, 1, 2, 3
H, W = 6, 5


def sums(signs, weight, stride, dilation, padding, around):
    """Sums of a convolution of (H, W, C), one output at a time; whole numbers."""
    groups = signs.shape[2] // weight.shape[3]
    size, taps = signs.shape[:2], weight.shape[1:3]
    reach = [(k - 1) * d + 1 for k, d in zip(taps, dilation, strict=True)]
    if padding == SAME:
        count = [-(-n // s) for n, s in zip(size, stride, strict=True)]
        each = zip(count, stride, reach, size, strict=True)
        before = [max(0, (c - 1) * s + r - n) // 2 for c, s, r, n in each]
    else:
        count = [(n - r) // s + 1 for n, r, s in zip(size, reach, stride, strict=True)]
        before = [0, 0]
    out = np.zeros((*count, len(weight)), np.int64)
    for y, x, o in np.ndindex(out.shape):
        own = o // (len(weight) // groups) * weight.shape[3]
        for i, j, c in np.ndindex(weight.shape[1:]):
            row = y * stride[0] - before[0] + i * dilation[0]
            column = x * stride[1] - before[1] + j * dilation[1]
            inside = 0 <= row < size[0] and 0 <= column < size[1]
            value = signs[row, column, own + c] if inside else around
            out[y, x, o] += value * weight[o, i, j, c]
    return out


def options(channels, stride=(1, 1), dilation=(1, 1), padding=SAME, around=0, activation=NONE):
    return {
        "channels_in": channels, "dilation_height_factor": dilation[0],
        "dilation_width_factor": dilation[1], "fused_activation_function": activation,
        "pad_values": around, "padding": padding, "stride_height": stride[0],
        "stride_width": stride[1],
    }  # fmt: skip


def value_of(path, place, images):
    return evaluated(read_tflite(ModelFile(path)), images, [place])[0]


BOUNDS = {NONE: (-np.inf, np.inf), RELU: (0, np.inf), RELU_N1_TO_1: (-1, 1), RELU6: (0, 6)}
CONVOLUTIONS = [
    dict(zip(("padding", "around", "stride", "dilation", "activation"), row, strict=True))
    for row in itertools.product(
        [SAME, VALID], [0, 1], [(1, 1), (2, 1)], [(1, 1), (1, 2)], [NONE, RELU6]
    )
] + [{"activation": RELU}, {"activation": RELU_N1_TO_1, "around": 1}]


@pytest.mark.parametrize("case", range(len(CONVOLUTIONS)))
def test_binary_convolutions(case, tmp_path):
    given = CONVOLUTIONS[case]
    channels, outputs = (35, 4) if case % 2 else (64, 5)
    net = TfliteNet(H, W, channels, seed=case)
    words, signs = net.words(outputs, 3, 2, channels)
    multiplier, bias = net.normal(outputs), net.normal(outputs)
    image = net.normal(1, H, W, channels)
    image[0, 0, 0, :2] = 0.0, -0.0
    wanted = sums(
        np.where(image[0] >= 0, 1, -1), signs, given.get("stride", (1, 1)),
        given.get("dilation", (1, 1)), given.get("padding", SAME), given.get("around", 0),
    )  # fmt: skip
    wanted = np.clip(wanted, *BOUNDS[given["activation"]]) * multiplier + bias
    bits = net.add("LceQuantize", 0, shape=(1, H, W, -(-channels // 32)), kind="INT32")
    x = net.add("LceBconv2d", bits, words, multiplier, bias, None, shape=(1, *wanted.shape),
                **options(channels, **given))  # fmt: skip
    path = net.save(tmp_path, net.head(x))
    assert np.allclose(value_of(path, x, image)[0], wanted, rtol=1e-6, atol=1e-6)
    imported(path)


@pytest.mark.parametrize(("padding", "around"), [(VALID, 0), (SAME, 1), (SAME, 0)])
def test_bits_out_of_a_convolution_and_a_pool(padding, around, tmp_path):
    channels, outputs = 40, 33
    net = TfliteNet(H, W, channels)
    words, signs = net.words(outputs, 3, 3, channels)
    image = net.normal(1, H, W, channels)
    total = sums(np.where(image[0] >= 0, 1, -1), signs, (1, 1), (1, 1), padding, around)
    different = (signs[0].size - total) / 2
    threshold = net.rng.integers(160, 200, outputs).astype(np.int32)
    threshold[:3] = -7, 2**31 - 1, int(different[0, 0, 2])  # always, never, exactly there
    wanted = np.where(different > threshold, -1, 1)
    bits = net.add("LceQuantize", 0, shape=(1, H, W, 2), kind="INT32")
    x = net.add("LceBconv2d", bits, words, None, None, threshold,
                shape=(1, *total.shape[:2], 2), kind="INT32",
                **options(channels, padding=padding, around=around))  # fmt: skip
    rows, columns = (n // 2 for n in total.shape[:2])
    pooled = net.add("LceBMaxPool2d", x, shape=(1, rows, columns, 2), kind="INT32",
                     filter_height=2, filter_width=2, padding=VALID, stride_height=2,
                     stride_width=2)  # fmt: skip
    y = net.add("LceDequantize", pooled, shape=(1, rows, columns, outputs))
    path = net.save(tmp_path, net.head(y))
    found = value_of(path, x, image)[0]
    assert np.array_equal(found, wanted)
    cut = found[: rows * 2, : columns * 2].reshape(rows, 2, columns, 2, outputs)
    assert np.array_equal(value_of(path, pooled, image)[0], cut.max(axis=(1, 3)))
    imported(path)


def test_a_pool_of_bits_sees_nothing_outside(tmp_path):
    net = TfliteNet(5, 5, 32)
    bits = net.add("LceQuantize", 0, shape=(1, 5, 5, 1), kind="INT32")
    pooled = net.add("LceBMaxPool2d", bits, shape=(1, 3, 3, 1), kind="INT32", filter_height=3,
                     filter_width=3, padding=SAME, stride_height=2, stride_width=2)  # fmt: skip
    path = net.save(tmp_path, net.head(net.add("LceDequantize", pooled, shape=(1, 3, 3, 32))))
    assert (value_of(path, pooled, -np.ones((1, 5, 5, 32), np.float32)) == -1).all()
    imported(path)


def test_groups(tmp_path):
    net = TfliteNet(H, W, 128)
    words, signs = net.words(6, 3, 3, 64)
    image = net.normal(1, H, W, 128)
    wanted = sums(np.where(image[0] >= 0, 1, -1), signs, (1, 1), (1, 1), SAME, 1)
    bits = net.add("LceQuantize", 0, shape=(1, H, W, 4), kind="INT32")
    x = net.add("LceBconv2d", bits, words, np.ones(6, np.float32), np.zeros(6, np.float32), None,
                shape=(1, H, W, 6), **options(128, around=1))  # fmt: skip
    path = net.save(tmp_path, net.head(x))
    assert np.array_equal(value_of(path, x, image)[0], wanted)
    imported(path)


def test_every_layer_of_a_larq_model_is_binary(tmp_path):
    net = TfliteNet(H, W, 32)
    bits = net.add("LceQuantize", 0, shape=(1, H, W, 1), kind="INT32")
    terms = net.normal(8), net.normal(8)
    words, _ = net.words(8, 3, 3, 32)
    x = net.add("LceBconv2d", bits, words, *terms, None, shape=(1, H, W, 8), **options(32))
    x = net.add("MEAN", x, np.array([1, 2]), shape=(1, 8))
    x = net.add("LceQuantize", x, shape=(1, 1), kind="INT32")
    x = net.add("LceDequantize", x, shape=(1, 8))
    weight = net.rng.choice(np.array([-0.5, 0.5], np.float32), (3, 8))
    x = net.add("FULLY_CONNECTED", x, weight, shape=(1, 3))
    _, report = imported(net.save(tmp_path, x))
    assert report.summary()["binary_convolutions"] == (2, 2)


def test_packing_is_undone():
    signs = np.random.default_rng(0).choice(np.array([-1, 1]), (3, 2, 70))
    assert np.array_equal(unpacked(packed(signs), 70), signs)
    assert unpacked(np.array([-2], np.int32), 3).tolist() == [1, -1, -1]
    with pytest.raises(ValueError, match="70 channels in words"):
        unpacked(packed(signs)[..., :2], 70)
