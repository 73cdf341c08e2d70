"""Builds valid packed models step by step, with random tensors.

Shapes: C in, O out, H W.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bnas_deploy.bits import pack_rows
from bnas_deploy.format.program import PackedModel, Preprocessing, Program
from bnas_deploy.format.steps import (
    AddSlice,
    AffineStage,
    Binarize,
    BinaryConv2d,
    BinaryDepthwiseConv2d,
    BinaryGroupedConv2d,
    BinaryMaxPool2d,
    Concat,
    Conv2d,
    GlobalAvgPool,
    GroupedConv2d,
    Linear,
    MeanMagnitude,
    QuantizedConv2d,
    ScaleStage,
    SelectChannels,
    Stage,
    ThresholdStage,
)
from support.program_elements import Elements

STAGE_KINDS = ("threshold", "scale", "scale_relu", "scale_add", "scale_relu_add")
AFFINE_KINDS = ("affine", "affine_relu", "affine_add", "affine_relu_add")


def pair(x: int | tuple[int, int]) -> tuple[int, int]:
    return (x, x) if isinstance(x, int) else x


def quad(x: int | tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    return (x, x, x, x) if isinstance(x, int) else x


class Builder(Elements):
    """Appends steps one by one; every method returns the name of the value that it assigns."""

    def binary_max_pool2d(
        self, x: str, *, kernel: Any = 3, stride: Any = 1, padding: Any = 1, minimum: bool = True
    ) -> str:
        k, s, p = pair(kernel), pair(stride), quad(padding)
        c = self.shape(x)[0]
        out = self.value(
            "bits", (c, *self._window(x, kernel=k, stride=s, padding=p, dilation=(1, 1)))
        )
        least = self.flips(c) if minimum else None
        self.steps.append(BinaryMaxPool2d(x, out, least, k, s, p))
        return out

    def binarize(self, x: str) -> str:
        c, out = self.shape(x)[0], self.value("bits", self.shape(x))
        t = self.rng.standard_normal(c, dtype=np.float32) / 2
        special = np.array([0.0, -np.inf, np.inf], np.float32)
        t = np.where(self.rng.random(c) < 0.2, self.rng.choice(special, c), t)
        self.steps.append(Binarize(x, out, self.tensor(t.astype(np.float32)), self.flips(c)))
        return out

    def _window(self, x: str, **w: Any) -> tuple[int, int]:
        """Output size of a window, without leaning on the code under test."""
        out = []
        for i, size in enumerate(self.shape(x)[1:]):
            span = w["dilation"][i] * (w["kernel"][i] - 1) + 1
            out.append((size + w["padding"][i] + w["padding"][i + 2] - span) // w["stride"][i] + 1)
        return out[0], out[1]

    def conv2d(
        self, x: str, o: int, *, kernel: Any = 3, stride: Any = 1, padding: Any = 1,
        dilation: Any = 1, activation: str = "none", bias: bool = True, groups: int = 1,
    ) -> str:  # fmt: skip
        k, s, p, d = pair(kernel), pair(stride), quad(padding), pair(dilation)
        out = self.value("f32", (o, *self._window(x, kernel=k, stride=s, padding=p, dilation=d)))
        weight = self.floats(o, self.shape(x)[0] // groups, *k)
        b = self.floats(o) if bias else None
        if groups == 1:
            self.steps.append(Conv2d(x, out, weight, b, s, p, d, activation))
        else:
            self.steps.append(GroupedConv2d(x, out, weight, b, groups, s, p, d, activation))
        return out

    def quantized_conv2d(
        self, x: str, o: int, *, kernel: Any = 3, stride: Any = 1, padding: Any = 1,
        dilation: Any = 1, activation: str = "none",
    ) -> str:  # fmt: skip
        """Weights and offsets with their extremes; inputs that saturate at both ends, and none."""
        k, s, p, d = pair(kernel), pair(stride), quad(padding), pair(dilation)
        c = self.shape(x)[0]
        out = self.value("f32", (o, *self._window(x, kernel=k, stride=s, padding=p, dilation=d)))
        weight = self.rng.integers(-127, 128, (o, c, *k))
        weight[self.rng.random(weight.shape) < 0.1] = -127
        offset = self.rng.integers(-(2**15), 2**15, o)
        steps = self.rng.uniform(8, 64, c) * (self.rng.random(c) < 0.9)
        zero = np.where(self.rng.random(c) < 0.3, self.rng.integers(-20, 150, c), 60.25)
        names = [
            self.tensor(np.asarray(a, dtype))
            for a, dtype in (
                (weight, np.int8), (offset, np.int32), (self.rng.standard_normal(o) / 1e4, "f4"),
                (steps, "f4"), (zero, "f4"),
            )
        ]  # fmt: skip
        self.steps.append(QuantizedConv2d(x, out, *names, s, p, d, activation))
        return out

    def binary_conv2d(
        self, x: str, o: int, *, kernel: Any = 3, stride: Any = 1, padding: Any = 1,
        dilation: Any = 1, stages: tuple[str, ...] = ("scale",), fold: bool = False,
        groups: int = 1,
    ) -> tuple[str, ...]:  # fmt: skip
        k, s, p, d = pair(kernel), pair(stride), quad(padding), pair(dilation)
        shape = (o, *self._window(x, kernel=k, stride=s, padding=p, dilation=d))
        geometry = {"kernel": k, "stride": s, "padding": p, "dilation": d}
        c = self.shape(x)[0] // groups
        kinds = [self._stage(kind, x, shape, k, geometry, inputs=c) for kind in stages]
        weight = self.tensor(pack_rows(self.rng.random((o, k[0] * k[1] * c)) < 0.5))
        f = self.tensor(self.rng.integers(-9, 10, (o, *k)).astype(np.int32)) if fold else None
        if groups == 1:
            self.steps.append(BinaryConv2d(x, weight, f, k, s, p, d, tuple(kinds)))
        else:
            self.steps.append(BinaryGroupedConv2d(x, weight, f, groups, k, s, p, d, tuple(kinds)))
        return tuple(stage.output for stage in kinds)

    def binary_depthwise_conv2d(
        self, x: str, *, kernel: Any = 3, stride: Any = 1, padding: Any = 1,
        dilation: Any = 1, stages: tuple[str, ...] = ("scale",),
    ) -> tuple[str, ...]:  # fmt: skip
        k, s, p, d = pair(kernel), pair(stride), quad(padding), pair(dilation)
        c = self.shape(x)[0]
        shape = (c, *self._window(x, kernel=k, stride=s, padding=p, dilation=d))
        geometry = {"kernel": k, "stride": s, "padding": p, "dilation": d}
        kinds = [self._stage(kind, x, shape, k, geometry, inputs=1) for kind in stages]
        weight = self.tensor(pack_rows(self.rng.random((c, k[0] * k[1])) < 0.5))
        self.steps.append(BinaryDepthwiseConv2d(x, weight, k, s, p, d, tuple(kinds)))
        return tuple(stage.output for stage in kinds)

    def mean_magnitude(self, x: str) -> str:
        (c, h, w), rng = self.shape(x), self.rng
        out = self.value("f32", (1, h, w))
        terms = self.tensor(np.array([1 / c, rng.random()], np.float32))
        self.steps.append(MeanMagnitude(x, out, self.floats(c), self.floats(c), terms))
        return out

    def _stage(
        self, kind: str, x: str, shape: tuple[int, ...], k: tuple[int, int], geometry: Any,
        inputs: int | None = None,
    ) -> Stage:  # fmt: skip
        o, n = shape[0], k[0] * k[1] * (self.shape(x)[0] if inputs is None else inputs)
        if kind == "threshold":
            t = np.round(self.rng.standard_normal(o) * np.sqrt(n)).astype(np.int32)
            ends = np.array([-(2**31), 2**31 - 1], np.int32)
            t = np.where(self.rng.random(o) < 0.05, self.rng.choice(ends, o), t).astype(np.int32)
            return ThresholdStage(self.value("bits", shape), self.tensor(t), self.flips(o))
        scale = self.rng.standard_normal(o).astype(np.float32)
        scale[self.rng.random(o) < 0.1] = 0.0
        act, terms = "relu" if "relu" in kind else "none", (self.tensor(scale),)
        cls: Any = ScaleStage
        if kind.startswith("affine"):
            cls, terms = AffineStage, (*terms, self.floats(o))
        if not kind.endswith("add"):
            return cls(self.value("f32", shape), *terms, act)
        at, extra = (int(self.rng.integers(0, 4)) for _ in range(2))
        (addend,) = self.binary_conv2d(x, at + o + extra, stages=("scale",), **geometry)
        out = self.value("f32", self.shape(addend))
        return cls(out, *terms, act, addend, at)

    def pool(self, cls: Any, x: str, *, kernel: Any = 3, stride: Any = 1, padding: Any = 1) -> str:
        k, s, p = pair(kernel), pair(stride), quad(padding)
        size = self._window(x, kernel=k, stride=s, padding=p, dilation=(1, 1))
        out = self.value("f32", (self.shape(x)[0], *size))
        self.steps.append(cls(x, out, k, s, p))
        return out

    def add_slice(self, x: str, addend: str, at: int) -> str:
        out = self.value("f32", self.shape(x))
        self.steps.append(AddSlice(x, addend, out, at))
        return out

    def concat(self, *inputs: str) -> str:
        shapes = [self.shape(x) for x in inputs]
        out = self.value("f32", (sum(s[0] for s in shapes), *shapes[0][1:]))
        self.steps.append(Concat(tuple(inputs), out))
        return out

    def select_channels(self, x: str, index: Any) -> str:
        index = np.asarray(index, np.int32)
        out = self.value("f32", (len(index), *self.shape(x)[1:]))
        self.steps.append(SelectChannels(x, out, self.tensor(index)))
        return out

    def global_avg_pool(self, x: str) -> str:
        out = self.value("f32", (self.shape(x)[0], 1, 1))
        self.steps.append(GlobalAvgPool(x, out))
        return out

    def linear(self, x: str, o: int, *, bias: bool = True) -> str:
        out = self.value("f32", (o, 1, 1))
        b = self.floats(o) if bias else None
        weight = self.floats(o, int(np.prod(self.shape(x))))
        self.steps.append(Linear(x, out, weight, b))
        return out

    def unread(self) -> list[str]:
        read = {name for step in self.steps for name in step.reads()}
        return [name for name in self.values if name not in read]

    def finish(self, classes: int = 4) -> PackedModel:
        """Make logits of all that nobody reads: bits by a 1x1 binary convolution, then pooled."""
        ends = []
        for x in self.unread():
            y = x
            if self.values[x].kind == "bits":
                (y,) = self.binary_conv2d(x, 3, kernel=1, padding=0)
            ends.append(self.global_avg_pool(y))
        logits = self.linear(self.concat(*ends) if len(ends) > 1 else ends[0], classes)
        return self.model(logits)

    def model(self, logits: str) -> PackedModel:
        c, h, w = self.shape("image")
        return PackedModel(
            program=Program(dict(self.values), tuple(self.steps), "image", logits),
            tensors=dict(self.tensors),
            preprocessing=Preprocessing(max(h, w), (h, w), (0.5,) * c, (0.25,) * c),
            labels=tuple(f"class {i}" for i in range(self.shape(logits)[0])),
            provenance={"made by": "tests/support/random_programs.py"},
        )
