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
    Step,
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
    channels, size = shape["channels"], (shape["height"], shape["width"])
    program = Program(_values(shape), _steps(shape), "image", "logits")
    preprocessing = Preprocessing(max(size), size, (0.0,) * channels, (1.0,) * channels)
    return PackedModel(program, _tensors(shape), preprocessing, ("a", "b"))


def _steps(shape: dict[str, Any]) -> tuple[Step, ...]:
    geometry = {
        "kernel": (shape["kernel"],) * 2,
        "stride": (shape["stride"],) * 2,
        "padding": (shape["padding"],) * 4,
        "dilation": (shape["dilation"],) * 2,
    }
    stages = (ThresholdStage("bits", "zeros", "no flip"), ScaleStage("dot", "ones", "none"))
    pointwise = {"kernel": (1, 1), "stride": (1, 1), "padding": (0,) * 4, "dilation": (1, 1)}
    onto_dot = (ScaleStage("sum", "one", "none", "dot"),)
    return (
        Binarize("image", "packed", "zero", "no flip in"),
        BinaryConv2d("packed", "weight", None, **geometry, stages=stages),
        # The threshold's bits must be read by someone.
        BinaryConv2d("bits", "reader", None, **pointwise, stages=onto_dot),
        GlobalAvgPool("sum", "pooled"),
        Linear("pooled", "logits", "classifier", None),
    )


def _values(shape: dict[str, Any]) -> dict[str, Value]:
    size_in = (shape["channels"], shape["height"], shape["width"])
    size = (shape["outputs"], _extent(shape, "height"), _extent(shape, "width"))
    return {
        "image": Value("f32", size_in),
        "packed": Value("bits", size_in),
        "bits": Value("bits", size),
        "dot": Value("f32", size),
        "sum": Value("f32", size),
        "pooled": Value("f32", (shape["outputs"], 1, 1)),
        "logits": Value("f32", (2, 1, 1)),
    }


def _tensors(shape: dict[str, Any]) -> dict[str, np.ndarray]:
    c, o = shape["channels"], shape["outputs"]
    weight = signs(shape).transpose(0, 2, 3, 1).reshape(o, -1)  # (O, K), c fastest
    return {
        "zero": np.zeros(c, np.float32),
        "no flip in": pack_rows(np.zeros(c, bool)),
        "weight": pack_rows(weight < 0),
        "zeros": np.zeros(o, np.int32),
        "no flip": pack_rows(np.zeros(o, bool)),
        "ones": np.ones(o, np.float32),
        "reader": pack_rows(np.zeros((1, o), bool)),
        "one": np.ones(1, np.float32),
        "classifier": np.ones((2, o), np.float32),
    }


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
