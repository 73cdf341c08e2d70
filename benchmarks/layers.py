"""Single layers to measure: a binary convolution as a packed program, and as floats; no timing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bnas_deploy.bits import pack_rows
from bnas_deploy.format import PackedModel, Preprocessing, Program, Value
from bnas_deploy.format.shapes import window_extent
from bnas_deploy.format.steps import (
    Binarize,
    BinaryConv2d,
    GlobalAvgPool,
    Linear,
    ScaleStage,
    ThresholdStage,
)

__all__ = ["CONV_STEP", "PACK_STEP", "SHAPES", "float_convolution", "label", "packed", "signs"]

SHAPES: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("shapes.json").read_text(encoding="utf-8")
)
PACK_STEP, CONV_STEP = 0, 1
SEED = 20


def label(shape: dict[str, Any]) -> str:
    """A short name: kernel, channels, pixels, and what is not 1."""
    k, d, s = (shape[key] for key in ("kernel", "dilation", "stride"))
    extra = (f"-d{d}" if d > 1 else "") + (f"-s{s}" if s > 1 else "")
    return f"{k}x{k}{extra}-{shape['channels']}-{shape['outputs']}-at-{shape['width']}"


def signs(shape: dict[str, Any]) -> np.ndarray:
    """Weights of -1 and +1, float32 (O, C, k, k)."""
    rng = np.random.default_rng(SEED)
    size = (shape["outputs"], shape["channels"], shape["kernel"], shape["kernel"])
    return rng.choice(np.array([-1, 1], np.float32), size)


def packed(shape: dict[str, Any]) -> PackedModel:
    """Binarize, the convolution with a threshold and a scale stage, then something as logits.

    Thresholds are 0 and scales 1, so that the scale stage shows the dot products.
    """
    c, o, k = (shape[key] for key in ("channels", "outputs", "kernel"))
    size = tuple(_extent(shape, axis) for axis in ("height", "width"))
    weight = signs(shape).transpose(0, 2, 3, 1).reshape(o, -1)  # (O, K), c fastest
    stages = (ThresholdStage("bits", "zeros", "no flip"), ScaleStage("dot", "ones", "none"))
    steps = (
        Binarize("image", "packed", "zero", "no flip in"),
        BinaryConv2d(
            "packed",
            "weight",
            None,
            (k, k),
            (shape["stride"],) * 2,
            (shape["padding"],) * 4,
            (shape["dilation"],) * 2,
            stages,
        ),
        # The threshold's bits must be read by someone.
        BinaryConv2d(
            "bits",
            "one",
            None,
            (1, 1),
            (1, 1),
            (0,) * 4,
            (1, 1),
            (ScaleStage("sum", "two", "none", "dot"),),
        ),
        GlobalAvgPool("sum", "pooled"),
        Linear("pooled", "logits", "classifier", None),
    )
    values = {
        "image": Value("f32", (c, shape["height"], shape["width"])),
        "packed": Value("bits", (c, shape["height"], shape["width"])),
        "bits": Value("bits", (o, *size)),
        "dot": Value("f32", (o, *size)),
        "sum": Value("f32", (o, *size)),
        "pooled": Value("f32", (o, 1, 1)),
        "logits": Value("f32", (2, 1, 1)),
    }
    tensors = {
        "zero": np.zeros(c, np.float32),
        "no flip in": pack_rows(np.zeros(c, bool)),
        "weight": pack_rows(weight < 0),
        "zeros": np.zeros(o, np.int32),
        "no flip": pack_rows(np.zeros(o, bool)),
        "ones": np.ones(o, np.float32),
        "one": pack_rows(np.zeros((1, o), bool)),
        "two": np.ones(1, np.float32),
        "classifier": np.ones((2, o), np.float32),
    }
    preprocessing = Preprocessing(
        max(shape["height"], shape["width"]),
        (shape["height"], shape["width"]),
        (0.0,) * c,
        (1.0,) * c,
    )
    program = Program(values, steps, "image", "logits")
    return PackedModel(program, tensors, preprocessing, ("a", "b"))


def _extent(shape: dict[str, Any], axis: str) -> int:
    p = shape["padding"]
    window = {key: shape[key] for key in ("kernel", "stride", "dilation")}
    return window_extent(shape[axis], before=p, after=p, **window)


def float_convolution(shape: dict[str, Any]) -> torch.nn.Conv2d:
    """The float32 convolution of that shape, with the same weights."""
    conv = torch.nn.Conv2d(
        shape["channels"],
        shape["outputs"],
        shape["kernel"],
        shape["stride"],
        shape["padding"],
        shape["dilation"],
        bias=False,
    )
    with torch.no_grad():
        conv.weight.copy_(torch.from_numpy(signs(shape)))
    return conv.eval()
