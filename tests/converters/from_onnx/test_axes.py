"""Shuffles, joins, parts and reductions along any axis, in any order of axes, by ONNX Runtime."""

from __future__ import annotations

import numpy as np
import pytest
from support.onnx_models import OnnxModel, imported, steps

from bnas_deploy.errors import ConversionError

LAST, FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
C, H, W = 6, 8, 4


def last(m, x):
    return m.add("Transpose", x, perm=LAST)


def first(m, x):
    return m.add("Transpose", x, perm=FIRST)


def shape(m, x, *extents):
    return m.add("Reshape", x, m.whole(*extents))


def shuffled(m, x, groups):
    x = m.add("Transpose", shape(m, x, 0, groups, C // groups, H, W), perm=[0, 2, 1, 3, 4])
    return shape(m, x, -1, C, H, W)


def halves(m, x, axis, sizes):
    return m.add("Split", x, m.whole(*sizes), outputs=len(sizes), axis=axis)


def strided(m, x, row, column):
    ends = m.whole(9999, 2**31 - 1)
    return m.add("Slice", x, m.whole(row, column), ends, m.whole(2, 3), m.whole(2, 2))


def space_to_depth_by_views(m, x):
    x = m.add("Transpose", shape(m, x, -1, C, H // 2, 2, W // 2, 2), perm=[0, 1, 3, 5, 2, 4])
    return shape(m, x, 0, 4 * C, H // 2, W // 2)


def to_depth_and_back(m, x, mode):
    return m.add("DepthToSpace", m.add("SpaceToDepth", x, blocksize=2), blocksize=2, mode=mode)


IMAGES = {
    "shuffle by two": lambda m, x: shuffled(m, x, 2),
    "shuffle by three, twice": lambda m, x: shuffled(m, shuffled(m, x, 3), 3),
    "shuffle of a split": lambda m, x: shuffled(
        m, m.add("Concat", *halves(m, x, 1, (4, 2)), axis=1), 2
    ),
    "shuffle of pixels that come last": lambda m, x: first(
        m, shape(m, m.add("Transpose", shape(m, last(m, x), 0, H, W, 2, 3), perm=[0, 1, 2, 4, 3]),
                 0, H, W, C)
    ),
    "space to depth": lambda m, x: m.add("SpaceToDepth", x, blocksize=2),
    "space to depth by views": space_to_depth_by_views,
    "space to depth and back": lambda m, x: to_depth_and_back(m, x, "DCR"),
    "focus": lambda m, x: m.add(
        "Concat", *(strided(m, x, row, column) for column in (0, 1) for row in (0, 1)), axis=1
    ),
    "rows cut off": lambda m, x: m.add("Slice", x, m.whole(2), m.whole(-1), m.whole(2)),
    "columns cut off, of the last axis but one": lambda m, x: first(
        m, m.add("Slice", last(m, x), m.whole(1), m.whole(3), m.whole(2))
    ),
    "every third row from the second": lambda m, x: m.add(
        "Slice", x, m.whole(1), m.whole(99), m.whole(-2), m.whole(3)
    ),
    "columns by Gather": lambda m, x: m.add("Gather", x, m.whole(1, 3), axis=3),
    "channels by Gather, last": lambda m, x: first(
        m, m.add("Gather", last(m, x), m.whole(3, 1, 0, -1), axis=3)
    ),
    "one of two groups": lambda m, x: m.add(
        "Gather", shape(m, x, 0, 3, 2, H, W), m.const(1, np.int64), axis=2
    ),
    "split of the last axis": lambda m, x: first(
        m, m.add("Concat", *halves(m, last(m, x), 3, (2, 1, 3))[::-1], axis=-1)
    ),
    "split of rows, joined the other way": lambda m, x: m.add(
        "Concat", *halves(m, x, 2, (3, 5))[::-1], axis=2
    ),
    "joined columns of two values": lambda m, x: m.add("Concat", x, "x", x, axis=3),
    "joined rows, channels last": lambda m, x: first(
        m, m.add("Concat", last(m, x), last(m, "x"), axis=1)
    ),
    "stacked and flattened": lambda m, x: shape(
        m, m.add("Concat", m.add("Unsqueeze", x, m.whole(2)), m.add("Unsqueeze", "x", m.whole(2)),
                 axis=2), 0, 2 * C, H, W
    ),
    "mean of the rows": lambda m, x: m.add("ReduceMean", x, axes=[2]),
    "sum of the columns, last": lambda m, x: first(
        m, m.add("ReduceSum", last(m, x), m.whole(2))
    ),
    "greatest of all": lambda m, x: m.add("ReduceMax", x, axes=[2, 3]),
    "least of a row": lambda m, x: m.add("ReduceMin", x, axes=[-1]),
    "mean of the channels": lambda m, x: m.add("ReduceMean", x, axes=[1]),
    "sum of everything": lambda m, x: m.add("ReduceSum", last(m, x), m.whole(1, 2, 3)),
    "mean within groups": lambda m, x: m.add(
        "ReduceMean", shape(m, x, 0, 3, 2, H, W), axes=[2], keepdims=0
    ),
    "mean of every third channel": lambda m, x: m.add(
        "ReduceMean", shape(m, x, 0, 3, 2, H, W), axes=[1], keepdims=0
    ),
    "three dimensions": lambda m, x: m.add(
        "Unsqueeze", m.add("GlobalAveragePool", shape(m, x, 0, C, H * W)), m.whole(3)
    ),
    "reshaped and added": lambda m, x: m.add(
        "Add", shuffled(m, x, 2), shuffled(m, "x", 3)
    ),
    "gate in the last place": lambda m, x: first(
        m, m.add("Mul", last(m, x), m.add("Sigmoid", m.add("ReduceMean", last(m, x), axes=[1, 2])))
    ),
    "gate of one channel, last": lambda m, x: first(
        m, m.add("Mul", last(m, x), m.add("Sigmoid", m.add("ReduceMean", last(m, x), axes=[3])))
    ),
    "padded in the last place but one": lambda m, x: m.add(
        "MaxPool",
        first(m, m.add("Pad", last(m, m.add("Relu", x)), m.whole(0, 1, 0, 0, 0, 0, 1, 0))),
        kernel_shape=[2, 2],
    ),
    "pooled over all": lambda m, x: m.add("AveragePool", x, kernel_shape=[H, W]),
    "pooled over all, counted": lambda m, x: m.add(
        "AveragePool", x, kernel_shape=[H, W], strides=[H, W], count_include_pad=1
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", IMAGES)
@pytest.mark.parametrize("signs", [False, True])
def test_images(case, signs, tmp_path):
    m = OnnxModel((C, H, W))
    x = m.norm("x", C)
    x = IMAGES[case](m, m.add("Sign", x) if signs else x)
    x = m.add("GlobalAveragePool", m.add("Relu", x))
    x = m.add("Mul", m.add("Flatten", x), 3.0)
    imported(m.save(tmp_path, x))


@pytest.mark.parametrize("signs", [False, True])
@pytest.mark.parametrize("case", ["shuffle by two", "space to depth", "rows cut off"])
def test_layers_behind_a_shuffle_are_binary(case, signs, tmp_path):
    m = OnnxModel((C, H, W))
    x = m.norm("x", C)
    x = IMAGES[case](m, m.add("Sign", x) if signs else x)
    x = x if signs else m.add("Sign", x)
    x = m.binary(x, 4 * C if case == "space to depth" else C, 8)
    assert steps(imported(m.save(tmp_path, m.head(x, 8)))).count("binary_conv2d") == 2


def test_global_pools_are_one_step(tmp_path):
    m = OnnxModel((C, H, W))
    x = m.add("AveragePool", m.binary(m.add("Sign", m.norm("x", C)), C, C), kernel_shape=[H, W])
    names = steps(imported(m.save(tmp_path, m.add("Flatten", x))))
    assert "global_avg_pool" in names
    assert "avg_pool2d" not in names


def test_an_image_flattened_into_the_channels_of_one_pixel(tmp_path):
    m = OnnxModel((C, H, W))
    x = last(m, m.add("Sign", m.norm("x", C)))
    x = first(m, shape(m, x, -1, 1, 1, C * H * W))
    x = m.add("Conv", x, m.signs(5, C * H * W, 1, 1), m.normal(5))
    result = imported(m.save(tmp_path, m.add("Flatten", x)), allow_float=False)
    assert steps(result).count("binary_conv2d") == 1


@pytest.mark.parametrize("form", ["Reshape", "Transpose"])
def test_an_input_of_one_channel_that_comes_last(form, tmp_path):
    m = OnnxModel((H, W, 1))
    x = first(m, "x") if form == "Transpose" else shape(m, "x", -1, 1, H, W)
    x = m.add("Sign", m.add("Conv", x, m.normal(6, 1, 3, 3), m.normal(6)))
    program = imported(m.save(tmp_path, m.float_head(m.binary(x, 6, 8), 8))).model.program
    assert program.values[program.input].shape == (1, H, W)


PIXELS = {
    "rows and columns exchanged": lambda m, x: m.add("Transpose", x, perm=[0, 1, 3, 2]),
    "depth to space": lambda m, x: m.add(
        "DepthToSpace", m.add("Concat", x, x, axis=1), blocksize=2
    ),
    "rows in another order": lambda m, x: m.add("Gather", x, m.whole(1, 0), axis=2),
    "channels and rows exchanged": lambda m, x: m.add("Transpose", x, perm=[0, 2, 1, 3]),
}  # fmt: skip


@pytest.mark.parametrize("case", PIXELS)
def test_pixels_that_would_change_places(case, tmp_path):
    m = OnnxModel((C, H, W))
    x = PIXELS[case](m, m.norm("x", C))
    x = m.add("MaxPool", x, kernel_shape=[1, 2])
    with pytest.raises(ConversionError, match=r"works on a value of shape|cuts a part out"):
        imported(m.save(tmp_path, m.add("Flatten", m.add("GlobalAveragePool", x))))
