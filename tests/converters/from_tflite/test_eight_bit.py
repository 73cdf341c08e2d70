"""Numbers in 8 bits: constants are the floats that they stand for, values are bounded floats."""

from __future__ import annotations

import numpy as np
import pytest
from support.tflite_models import TfliteNet, imported

from bnas_deploy.converters.from_tflite.file.read import read_tflite
from bnas_deploy.converters.from_tflite.original.choose import NUMPY
from bnas_deploy.converters.from_tflite.original.evaluate import evaluated
from bnas_deploy.converters.from_tflite.source import read
from bnas_deploy.converters.packing.model_file import ModelFile

MOVES = {"StrideH": 1, "StrideW": 1}


def value_of(path, place, images):
    return evaluated(read_tflite(ModelFile(path)), images, [place])[0]


def notes(path):
    return read(ModelFile(path), allow_float=True).notes


@pytest.mark.parametrize("axis", [0, None])
def test_weights_are_their_reals(axis, tmp_path):
    net = TfliteNet(4, 3, 5)
    numbers = net.rng.integers(-127, 128, (6, 1, 1, 5)).astype(np.int8)
    scales = net.rng.random(6).astype(np.float32) if axis == 0 else np.float32(0.25)
    weight = net.const(numbers, "INT8", scales, axis=axis or 0)
    bias = net.const(net.rng.integers(-99, 99, 6).astype("<i4"), "INT32", np.float32(0.125))
    x = net.add("CONV_2D", 0, weight, bias, shape=(1, 4, 3, 6), **MOVES)
    path = net.save(tmp_path, net.head(x))
    reals = numbers[:, 0, 0] * np.reshape(scales, (-1, 1))
    image = net.normal(1, 4, 3, 5)
    shift = np.frombuffer(net.buffers[net.tensors[bias][5]], "<i4") * 0.125
    assert np.allclose(value_of(path, x, image), image @ reals.T + shift, atol=1e-4)
    imported(path)


def test_weights_of_one_magnitude_in_8_bits_are_binary(tmp_path):
    net = TfliteNet(4, 3, 32)
    x = net.add("LceQuantize", 0, shape=(1, 4, 3, 1), kind="INT32")
    x = net.add("LceDequantize", x, shape=(1, 4, 3, 32))
    numbers = 127 * net.rng.choice(np.array([-1, 1], np.int8), (6, 3, 3, 32))
    weight = net.const(numbers.astype(np.int8), "INT8", net.rng.random(6).astype(np.float32))
    x = net.add("CONV_2D", x, weight, shape=(1, 4, 3, 6), **MOVES)
    _, report = imported(net.save(tmp_path, net.head(x)))
    assert report.summary()["binary_convolutions"] == (1, 1)


def test_zero_points_of_unsigned_numbers(tmp_path):
    net = TfliteNet(5, kind="UINT8", scale=0.5, zero=100)
    numbers = net.rng.integers(0, 256, (3, 5)).astype(np.uint8)
    weight = net.const(numbers, "UINT8", np.float32(0.25), 128)
    x = net.add("FULLY_CONNECTED", 0, weight, None, shape=(1, 3), kind="UINT8", steps=(1.0, 30))
    path = net.save(tmp_path, x)
    image = np.float32([[-50, 3, 77, 0, 12.5]])
    wanted = image @ ((numbers - 128.0) * 0.25).T
    assert np.allclose(value_of(path, x, image), np.clip(wanted, -30, 225))
    assert notes(path) == ("1 value in 8 bits and more: in float32, without the rounding to steps",)
    imported(path, images=np.float32(net.rng.integers(0, 256, (9, 5, 1, 1)) - 100) * 0.5)


def test_bytes_without_a_scale_are_the_numbers_themselves(tmp_path):
    net = TfliteNet(6, 4, 8, kind="UINT8")
    path = net.save(tmp_path, net.head(net.add("CAST", 0)))
    assert notes(path) == ()
    imported(path, images=np.float32(net.rng.integers(0, 256, (9, 8, 6, 4))))


def test_values_are_bounded_once(tmp_path):
    net = TfliteNet(6, 4, 8)
    steps = (0.02, -10)
    x = net.add("QUANTIZE", 0, kind="INT8", steps=steps)
    y = net.add("RESHAPE", x, np.array([1, 6, 4, 8]), kind="INT8", steps=steps)
    size = {"FilterHeight": 2, "FilterWidth": 2, "Padding": 1, **MOVES}
    y = net.add("MAX_POOL_2D", y, shape=(1, 5, 3, 8), kind="INT8", steps=steps, **size)
    y = net.add("ADD", y, net.normal(8), kind="INT8", steps=(0.05, 0))
    path = net.save(tmp_path, net.head(net.add("DEQUANTIZE", y)))
    assert notes(path)[0].startswith("2 values in 8 bits and more")
    image = np.linspace(-9, 9, 192, dtype=np.float32).reshape(1, 6, 4, 8)
    assert np.allclose(value_of(path, x, image), np.clip(image, -118 * 0.02, 137 * 0.02))
    imported(path)


@pytest.mark.parametrize("between", [False, True])
def test_the_sign_of_a_value_is_that_of_its_rounding(between, tmp_path):
    net = TfliteNet(1, 1, 32)
    x = net.add("QUANTIZE", 0, kind="INT8", steps=(0.1, 5))
    x = net.add("DEQUANTIZE", x) if between else x
    bits = net.add("LceQuantize", x, shape=(1, 1, 1, 1), kind="INT32")
    y = net.add("LceDequantize", bits, shape=(1, 1, 1, 32))
    path = net.save(tmp_path, net.head(y))
    image = np.full((1, 1, 1, 32), 1, np.float32)
    image[..., :5] = -0.06, -0.051, -0.049, -0.01, 0
    assert value_of(path, y, image)[0, 0, 0, :6].tolist() == [-1, -1, 1, 1, 1, 1]
    imported(path, images=np.moveaxis(image, 3, 1))


def test_bits_as_numbers_and_sums_as_numbers(tmp_path):
    net = TfliteNet(6, 4, 32)
    bits = net.add("LceQuantize", 0, shape=(1, 6, 4, 1), kind="INT32")
    signs = net.add("LceDequantize", bits, shape=(1, 6, 4, 32), kind="INT8", steps=(0.03, 100))
    words, _ = net.words(8, 3, 3, 32)
    y = net.add("LceBconv2d", bits, words, net.normal(8), net.normal(8), None, shape=(1, 6, 4, 8),
                kind="INT8", steps=(0.25, 3), channels_in=32, stride_height=1, stride_width=1,
                dilation_height_factor=1, dilation_width_factor=1, pad_values=1)  # fmt: skip
    both = net.add("CONCATENATION", y, signs, shape=(1, 6, 4, 40), Axis=3)
    path = net.save(tmp_path, net.head(both))
    image = net.normal(1, 6, 4, 32)
    # 1 is 33 steps of 0.03 away from 0, of which 27 are left above 100.
    found = value_of(path, signs, image)
    assert np.allclose(found, np.where(image >= 0, 27 * 0.03, -33 * 0.03))
    assert np.abs(value_of(path, y, image)).max() <= 131 * 0.25
    imported(path)


def test_weights_in_8_bits_behind_floats_are_compared_in_numpy(tmp_path):
    net = TfliteNet(5)
    weight = net.const(net.rng.integers(-9, 9, (3, 5)).astype(np.int8), "INT8", np.float32(0.25))
    x = net.add("FULLY_CONNECTED", 0, weight, None, shape=(1, 3))
    source = read(ModelFile(net.save(tmp_path, x)), allow_float=True)
    assert source.original.name == NUMPY
