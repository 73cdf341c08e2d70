"""What is refused, with every obstacle, and files that are damaged or no models at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.tflite_models import TfliteNet, imported

from bnas_deploy.converters.from_tflite.source import read
from bnas_deploy.converters.packing.check import CheckOptions
from bnas_deploy.converters.packing.convert import convert_source
from bnas_deploy.converters.packing.model_file import ModelFile
from bnas_deploy.converters.signs.obstacles import Refusal
from bnas_deploy.errors import BnasError, ConversionError

FILES = Path(__file__).parent / "files"


def lines(path):
    with pytest.raises(Refusal) as refused:
        read(ModelFile(path), allow_float=True)
    return refused.value.lines


def message(path):
    with pytest.raises(ConversionError) as failed:
        read(ModelFile(path), allow_float=True)
    assert "\n" not in str(failed.value)
    return str(failed.value)


def written(folder, data):
    path = folder / "model.tflite"
    path.write_bytes(data)
    return path


def test_every_obstacle_is_listed_in_order(tmp_path):
    net = TfliteNet(6, 4, 8)
    x = net.add("RESIZE_BILINEAR", 0, np.array([6, 4]))
    x = net.add("ADD", x, net.normal(8))
    x = net.add("SomebodysOperator", x)
    gathered = net.add("GATHER", x, np.arange(8), Axis=3, BatchDims=1)
    path = net.save(tmp_path, net.head(gathered))
    found = lines(path)
    assert found[0] == "model.tflite cannot be converted, 3 obstacles:"
    assert found[1].startswith("t2 (RESIZE_BILINEAR): this operator is not understood; ")
    assert "docs/tflite.md" in found[1]
    assert found[2].startswith("t5 (SomebodysOperator): this operator is not understood; ")
    assert found[3].startswith("t7 (GATHER): gathers other elements in each image; ")


def test_layers_in_full_precision_need_a_word(tmp_path):
    net = TfliteNet(6, 4, 8)
    with pytest.raises(Refusal, match="would run in full precision"):
        read(ModelFile(net.save(tmp_path, net.head(0))))


@pytest.mark.parametrize(
    ("op", "inputs", "options", "reason"),
    [
        ("STRIDED_SLICE", [np.zeros(4, int), np.full(4, 9), np.ones(4, int)], {"EllipsisMask": 1},
         "slices by an ellipsis"),
        ("FULLY_CONNECTED", [np.ones((3, 8), np.float32)], {"WeightsFormat": 1}, "are shuffled"),
        ("FULLY_CONNECTED", [np.ones((3, 8), np.float32)], {}, "meet a value of shape"),
        ("FULLY_CONNECTED", [0], {}, "its weight is not constant"),
        ("CONV_2D", [np.ones((8, 1, 1, 8), np.float32)],
         {"StrideH": 1, "StrideW": 1, "FusedActivationFunction": 5}, "the fused activation 5"),
        ("CONV_2D", [np.ones((8, 1, 1, 8), np.float32)],
         {"StrideH": 1, "StrideW": 1, "Padding": 7}, "the padding 7"),
        ("CONV_2D", [np.ones(8, np.float32)], {"StrideH": 1, "StrideW": 1}, "do not fit"),
    ],
)  # fmt: skip
def test_options_that_are_not_understood(op, inputs, options, reason, tmp_path):
    net = TfliteNet(6, 4, 8)
    given = [0 if isinstance(x, int) else x for x in inputs]
    assert reason in lines(net.save(tmp_path, net.head(net.add(op, 0, *given, **options))))[1]


def test_weights_that_are_not_packed(tmp_path):
    net = TfliteNet(6, 4, 8)
    bits = net.add("LceQuantize", 0, shape=(1, 6, 4, 1), kind="INT32")
    terms = np.ones(8, np.float32), np.ones(8, np.float32)
    x = net.add("LceBconv2d", bits, net.normal(8, 3, 3, 8), *terms, None, shape=(1, 6, 4, 8),
                channels_in=8, stride_height=1, stride_width=1, dilation_height_factor=1,
                dilation_width_factor=1)  # fmt: skip
    assert "its weights are float32" in lines(net.save(tmp_path, net.head(x)))[1]


def test_what_is_no_model(tmp_path):
    net = TfliteNet(6, 4, 8)
    data = net.data(net.head(0))
    assert "the identifier b'TFL3' is missing" in message(written(tmp_path, b"\x1c\0\0\0abcdef"))
    assert "damaged" in message(written(tmp_path, data[:100]))
    assert "expected version 3" in message(written(tmp_path, net.data(1, version=2)))


def test_two_ends(tmp_path):
    net = TfliteNet(6, 4, 8)
    net.starts = [0, net.tensor((1, 3))]
    assert "expected one input and one output; got 2, 1" in message(net.save(tmp_path, net.head(0)))


def test_inputs_of_other_shapes(tmp_path):
    net = TfliteNet(6, 4)
    path = net.save(tmp_path, net.add("RELU", 0))
    assert "expected the shape (N, H, W, C) or (N, K); got [1, 6, 4]" in message(path)


def test_inputs_of_other_types(tmp_path):
    net = TfliteNet(6, 4, 8, kind="STRING")
    assert "input 't0' is STRING; expected FLOAT32, INT8" in message(
        net.save(tmp_path, net.head(0))
    )


def test_what_nothing_makes(tmp_path):
    net = TfliteNet(6, 4, 8)
    later = net.tensor((1, 6, 4, 8))
    path = net.save(tmp_path, net.head(net.add("ADD", 0, later)))
    assert "reads t1, which nothing before it makes" in message(path)
    net = TfliteNet(6, 4, 8)
    assert "nothing makes the output t1" in message(net.save(tmp_path, net.tensor((1, 3))))


@pytest.mark.parametrize(
    ("made", "what"),
    [
        (lambda net: net.const(np.array([np.nan, 1], np.float32)), "a constant holds NaN"),
        (lambda net: net.tensor((3,), data=b"12345678"), "2 numbers for the shape [3]"),
        (lambda net: net.tensor((2,), "INT4", data=b"1"), "a constant that is of the type INT4"),
        (lambda net: net.tensor((2,), "INT8", scale=-1.0, data=b"12"), "a scale that is not"),
        (lambda net: net.tensor((2**20, 2**20)), "a tensor of shape"),
        (lambda net: net.tensor((1,) * 9), "a tensor of 9 dimensions"),
        (lambda net: net.tensor((2,), "INT8", scale=[1.0, 2.0]), "a scale for each channel"),
    ],
)
def test_tensors_that_are_damaged(made, what, tmp_path):
    net = TfliteNet(6, 4, 8)
    made(net)
    assert what in message(net.save(tmp_path, net.head(0)))


@pytest.mark.parametrize("seed", range(60))
def test_damage_is_one_line_or_none(seed, tmp_path):
    rng = np.random.default_rng(seed)
    name = ("larq_ones", "larq_zeros_int8", "plain_zeros")[seed % 3]
    data = bytearray((FILES / f"{name}.tflite").read_bytes())
    # Where there are many zeros the file says what there is, elsewhere it has weights.
    zeros = np.frombuffer(bytes(data), np.uint8) == 0
    structure = np.flatnonzero(np.convolve(zeros, np.ones(16), "same") >= 4)
    for place in rng.choice(structure, rng.integers(1, 6)):
        data[place] = rng.choice([0, 1, 4, 127, 128, 255])
    try:
        source = read(ModelFile(written(tmp_path, bytes(data))), allow_float=True)
        convert_source(source, check_options=CheckOptions(2))
    except BnasError as error:
        told = error.lines
    else:
        told = ()
    assert all("\n" not in line for line in told)


def test_batches_of_more_than_one(tmp_path):
    net = TfliteNet(6, 4, 8, batch=3)
    x = net.add("ADD", 0, np.broadcast_to(net.normal(8), (3, 6, 4, 8)))
    imported(net.save(tmp_path, net.head(x)))
