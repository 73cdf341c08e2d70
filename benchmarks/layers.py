"""Single layers to measure: binary convolutions as packed programs, and their answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bnas_deploy.bits import pack_rows
from bnas_deploy.format import PackedModel, Preprocessing, Program, Value
from bnas_deploy.format.steps import (
    Binarize,
    BinaryConv2d,
    GlobalAvgPool,
    Linear,
    ScaleStage,
    Step,
    ThresholdStage,
    window_extent,
)

__all__ = [
    "CONV_STEP",
    "OUTPUTS",
    "PACK_STEP",
    "SHAPES",
    "dot_products",
    "image",
    "label",
    "macs",
    "moved_bytes",
    "outputs",
    "packed",
    "signs",
]

SHAPES: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("shapes.json").read_text(encoding="utf-8")
)
PACK_STEP, CONV_STEP = 0, 1
OUTPUTS = ("bits", "floats")
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


def image(shape: dict[str, Any]) -> np.ndarray:
    """Normalised noise, float32 (1, C, H, W)."""
    rng = np.random.default_rng(SEED)
    size = (1, shape["channels"], shape["height"], shape["width"])
    return rng.standard_normal(size, dtype=np.float32)


def macs(shape: dict[str, Any]) -> int:
    """Multiply-accumulates, taps on padding counted."""
    pixels = _extent(shape, "height") * _extent(shape, "width")
    return int(pixels * shape["channels"] * shape["outputs"] * shape["kernel"] ** 2)


def moved_bytes(shape: dict[str, Any]) -> int:
    """Bytes that bits in, weights and bits out take: the least that must be touched."""
    c, o = shape["channels"], shape["outputs"]
    pixels_in = shape["height"] * shape["width"]
    pixels_out = _extent(shape, "height") * _extent(shape, "width")
    return int((c * pixels_in + o * pixels_out + c * o * shape["kernel"] ** 2) / 8)


def outputs(shape: dict[str, Any], dot: np.ndarray) -> dict[str, np.ndarray]:
    """What `packed` must give for dot products (1, O, H, W): bits (True is -1) and floats."""
    scale = _scales(shape["outputs"])[:, None, None]
    return {"bits": dot < 0, "floats": np.maximum(dot * scale, np.float32(0))}


def packed(shape: dict[str, Any], kind: str) -> PackedModel:
    """Binarize, the convolution with one finished output, then something as logits.

    Args:
        shape: An entry of SHAPES.
        kind: "bits" (a threshold of 0) or "floats" (scale and ReLU).
    """
    channels, size = shape["channels"], (shape["height"], shape["width"])
    program = Program(_values(shape, kind), _steps(shape, kind), "image", "logits")
    preprocessing = Preprocessing(max(size), size, (0.0,) * channels, (1.0,) * channels)
    return PackedModel(program, _tensors(shape, kind), preprocessing, ("a", "b"))


def _steps(shape: dict[str, Any], kind: str) -> tuple[Step, ...]:
    geometry = {
        "kernel": (shape["kernel"],) * 2,
        "stride": (shape["stride"],) * 2,
        "padding": (shape["padding"],) * 4,
        "dilation": (shape["dilation"],) * 2,
    }
    stage = {
        "bits": ThresholdStage("bits", "zeros", "no flip"),
        "floats": ScaleStage("floats", "scale", "relu"),
    }[kind]
    steps: tuple[Step, ...] = (
        Binarize("image", "packed", "zero", "no flip in"),
        BinaryConv2d("packed", "weight", None, **geometry, stages=(stage,)),
    )
    if kind == "bits":  # bits must be read by a convolution
        pointwise = {"kernel": (1, 1), "stride": (1, 1), "padding": (0,) * 4, "dilation": (1, 1)}
        read = ScaleStage("floats", "one", "none")
        steps += (BinaryConv2d("bits", "reader", None, **pointwise, stages=(read,)),)
    return (
        *steps,
        GlobalAvgPool("floats", "pooled"),
        Linear("pooled", "logits", "classifier", None),
    )


def _values(shape: dict[str, Any], kind: str) -> dict[str, Value]:
    size_in = (shape["channels"], shape["height"], shape["width"])
    size = (shape["outputs"], _extent(shape, "height"), _extent(shape, "width"))
    last = _last_channels(shape, kind)
    bits = {"bits": Value("bits", size)} if kind == "bits" else {}
    return {
        "image": Value("f32", size_in),
        "packed": Value("bits", size_in),
        **bits,
        "floats": Value("f32", (last, *size[1:])),
        "pooled": Value("f32", (last, 1, 1)),
        "logits": Value("f32", (2, 1, 1)),
    }


def _tensors(shape: dict[str, Any], kind: str) -> dict[str, np.ndarray]:
    c, o = shape["channels"], shape["outputs"]
    weight = signs(shape).transpose(0, 2, 3, 1).reshape(o, -1)  # (O, K), c fastest
    own = {
        "bits": {
            "zeros": np.zeros(o, np.int32),
            "no flip": pack_rows(np.zeros(o, bool)),
            "reader": pack_rows(np.zeros((1, o), bool)),
            "one": np.ones(1, np.float32),
        },
        "floats": {"scale": _scales(o)},
    }[kind]
    return {
        "zero": np.zeros(c, np.float32),
        "no flip in": pack_rows(np.zeros(c, bool)),
        "weight": pack_rows(weight < 0),
        "classifier": np.ones((2, _last_channels(shape, kind)), np.float32),
        **own,
    }


def _last_channels(shape: dict[str, Any], kind: str) -> int:
    return 1 if kind == "bits" else int(shape["outputs"])


def _scales(count: int) -> np.ndarray:
    return np.linspace(0.01, 1.0, count, dtype=np.float32)


def _extent(shape: dict[str, Any], axis: str) -> int:
    p = shape["padding"]
    window = {key: shape[key] for key in ("kernel", "stride", "dilation")}
    return window_extent(shape[axis], before=p, after=p, **window)


def dot_products(shape: dict[str, Any], x: np.ndarray) -> np.ndarray:
    """The exact answer (1, O, H', W') for an image, from PyTorch: sums of signs are exact."""
    bits = torch.from_numpy(np.where(x >= 0, np.float32(1), np.float32(-1)))
    geometry = (shape["stride"], shape["padding"], shape["dilation"])
    dot = torch.nn.functional.conv2d(bits, torch.from_numpy(signs(shape)), None, *geometry)
    return np.asarray(dot.numpy())
