"""Tiny packed models that take pictures, for the tests of runtime and commands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from bnas_deploy.format import PackedModel, Preprocessing, write
from support.program_builder import Builder

CIFAR10 = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
PREPROCESSING = Preprocessing(8, (8, 8), (0.49, 0.48, 0.45), (0.25, 0.24, 0.26))


def picture_model(labels: tuple[str, ...] = CIFAR10, *, channels: int = 3) -> PackedModel:
    """A random network from (channels, 8, 8) with one binary convolution in it."""
    b = Builder(np.random.default_rng(7), (channels, 8, 8))
    x = b.conv2d("image", 6)
    b.binary_conv2d(b.binarize(x), 5, stages=("scale_relu",))
    model = b.finish(len(labels))
    preprocessing = PREPROCESSING if channels == 3 else model.preprocessing
    return replace(model, labels=labels, preprocessing=preprocessing)


def mean_colour_model() -> PackedModel:
    """A network whose logits are the means of red, green and blue: its answers are known."""
    b = Builder(np.random.default_rng(0), (3, 8, 8))
    logits = b.linear(b.global_avg_pool("image"), 3, bias=False)
    model = b.model(logits)
    weight = b.steps[-1].weight
    return replace(
        model,
        tensors={**model.tensors, weight: 9 * np.eye(3, dtype=np.float32)},
        preprocessing=Preprocessing(8, (8, 8), (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        labels=("red", "green", "blue"),
    )


def written(folder: Path, model: PackedModel) -> Path:
    path = folder / "model.bnn"
    write(model, path)
    return path
