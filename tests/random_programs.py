"""A seeded generator of valid random packed models; not a test, not a part of the package.

`conv_program` makes one binary convolution in a chosen geometry, `step_programs` one small program
for every step and its edge cases, `random_program` a mixture. Shapes: C in, O out, H W.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from bnas_deploy.bits import pack_rows
from bnas_deploy.format.program import PackedModel, Preprocessing, Program, Value, step_inputs
from bnas_deploy.format.steps import (
    AddSlice,
    Affine,
    AvgPool2d,
    Binarize,
    BinaryConv2d,
    Concat,
    Conv2d,
    GlobalAvgPool,
    Linear,
    MaxPool2d,
    Relu,
    ScaleStage,
    SelectChannels,
    Step,
    ThresholdStage,
)

STAGE_KINDS = ("threshold", "scale", "scale_relu", "scale_add", "scale_relu_add")


def pair(x: int | tuple[int, int]) -> tuple[int, int]:
    return (x, x) if isinstance(x, int) else x


def quad(x: int | tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    return (x, x, x, x) if isinstance(x, int) else x


class Builder:
    """Appends steps one by one; every method returns the name of the value that it assigns."""

    def __init__(self, rng: np.random.Generator, shape: tuple[int, int, int]) -> None:
        self.rng = rng
        self.values = {"image": Value("f32", shape)}
        self.steps: list[Step] = []
        self.tensors: dict[str, np.ndarray] = {}

    def shape(self, x: str) -> tuple[int, int, int]:
        return self.values[x].shape

    def value(self, kind: str, shape: tuple[int, ...]) -> str:
        name = f"v{len(self.values)}"
        self.values[name] = Value(kind, tuple(int(s) for s in shape))  # type: ignore[arg-type]
        return name

    def tensor(self, array: Any) -> str:
        name = f"t{len(self.tensors)}"
        self.tensors[name] = np.ascontiguousarray(array)
        return name

    def floats(self, *shape: int) -> str:
        return self.tensor(self.rng.standard_normal(shape, dtype=np.float32))

    def flips(self, channels: int) -> str:
        return self.tensor(pack_rows(self.rng.random(channels) < 0.3))

    def affine(self, x: str) -> str:
        c, out = self.shape(x)[0], self.value("f32", self.shape(x))
        self.steps.append(Affine(x, out, self.floats(c), self.floats(c)))
        return out

    def relu(self, x: str) -> str:
        out = self.value("f32", self.shape(x))
        self.steps.append(Relu(x, out))
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
        dilation: Any = 1, activation: str = "none", bias: bool = True,
    ) -> str:  # fmt: skip
        k, s, p, d = pair(kernel), pair(stride), quad(padding), pair(dilation)
        out = self.value("f32", (o, *self._window(x, kernel=k, stride=s, padding=p, dilation=d)))
        weight = self.floats(o, self.shape(x)[0], *k)
        b = self.floats(o) if bias else None
        self.steps.append(Conv2d(x, out, weight, b, s, p, d, activation))
        return out

    def binary_conv2d(
        self, x: str, o: int, *, kernel: Any = 3, stride: Any = 1, padding: Any = 1,
        dilation: Any = 1, stages: tuple[str, ...] = ("scale",), fold: bool = False,
    ) -> tuple[str, ...]:  # fmt: skip
        k, s, p, d = pair(kernel), pair(stride), quad(padding), pair(dilation)
        shape = (o, *self._window(x, kernel=k, stride=s, padding=p, dilation=d))
        geometry = {"kernel": k, "stride": s, "padding": p, "dilation": d}
        kinds = [self._stage(kind, x, shape, k, geometry) for kind in stages]
        weight = self.tensor(pack_rows(self.rng.random((o, k[0] * k[1] * self.shape(x)[0])) < 0.5))
        f = self.tensor(self.rng.integers(-9, 10, (o, *k)).astype(np.int32)) if fold else None
        self.steps.append(BinaryConv2d(x, weight, f, k, s, p, d, tuple(kinds)))
        return tuple(stage.output for stage in kinds)

    def _stage(
        self, kind: str, x: str, shape: tuple[int, ...], k: tuple[int, int], geometry: Any
    ) -> ThresholdStage | ScaleStage:
        o, n = shape[0], k[0] * k[1] * self.shape(x)[0]
        if kind == "threshold":
            t = np.round(self.rng.standard_normal(o) * np.sqrt(n)).astype(np.int32)
            ends = np.array([-(2**31), 2**31 - 1], np.int32)
            t = np.where(self.rng.random(o) < 0.05, self.rng.choice(ends, o), t).astype(np.int32)
            return ThresholdStage(self.value("bits", shape), self.tensor(t), self.flips(o))
        scale = self.rng.standard_normal(o).astype(np.float32)
        scale[self.rng.random(o) < 0.1] = 0.0
        act = "relu" if "relu" in kind else "none"
        if not kind.endswith("add"):
            return ScaleStage(self.value("f32", shape), self.tensor(scale), act)
        at, extra = (int(self.rng.integers(0, 4)) for _ in range(2))
        (addend,) = self.binary_conv2d(x, at + o + extra, stages=("scale",), **geometry)
        out = self.value("f32", self.shape(addend))
        return ScaleStage(out, self.tensor(scale), act, addend, at)

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
        read = {name for step in self.steps for name in step_inputs(step)}
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
            provenance={"made by": "tests/random_programs.py"},
        )


def random_images(rng: np.random.Generator, model: PackedModel, n: int) -> np.ndarray:
    """(n, C, H, W) float32, with some exact zeros of both signs."""
    shape = (n, *model.program.values[model.program.input].shape)
    x = rng.standard_normal(shape, dtype=np.float32)
    x[rng.random(shape) < 0.05] = 0.0
    x[rng.random(shape) < 0.05] = -0.0
    return x


def conv_program(
    rng: np.random.Generator, *, channels: int, out_channels: int, height: int, width: int,
    kernel: Any = 3, stride: Any = 1, dilation: Any = 1, padding: Any = None,
    stages: tuple[str, ...] = ("threshold",), fold: bool = False, classes: int = 4,
) -> PackedModel:  # fmt: skip
    """Binarize, then one binary convolution with the given stages (of `STAGE_KINDS`), then logits.

    `padding` None means "same size at stride 1" (for odd kernels).
    """
    if padding is None:
        (kh, kw), (dh, dw) = pair(kernel), pair(dilation)
        padding = (dh * (kh - 1) // 2, dw * (kw - 1) // 2) * 2
    b = Builder(rng, (channels, height, width))
    b.binary_conv2d(
        b.binarize("image"), out_channels, kernel=kernel, stride=stride, dilation=dilation,
        padding=padding, stages=stages, fold=fold,
    )  # fmt: skip
    return b.finish(classes)


def _float_programs(rng: np.random.Generator) -> Iterator[tuple[str, Builder]]:
    sizes = [(1, 1, 1), (3, 5, 7), (8, 8, 8), (9, 4, 16), (65, 3, 2), (2, 33, 31)]
    for c, h, w in sizes:
        tag = f"{c}x{h}x{w}"
        for op in ("affine", "relu", "binarize", "global_avg_pool"):
            b = Builder(rng, (c, h, w))
            getattr(b, op)(b.affine("image"))
            yield f"{op}-{tag}", b
        b = Builder(rng, (c, h, w))
        b.linear(b.affine("image"), 5, bias=False)
        yield f"linear-{tag}", b
        b = Builder(rng, (c, h, w))
        b.select_channels("image", rng.integers(-1, c, 2 * c + 1))
        yield f"select_channels-{tag}", b
        b = Builder(rng, (c, h, w))
        b.concat("image", b.affine("image"), "image")
        yield f"concat-{tag}", b
        b = Builder(rng, (c, h, w))
        b.add_slice(b.concat("image", "image"), b.affine("image"), int(rng.integers(0, c + 1)))
        yield f"add_slice-{tag}", b


def _window_programs(rng: np.random.Generator) -> Iterator[tuple[str, Builder]]:
    pools = [(3, 1, 1), (2, 2, 0), (3, 2, 1), ((2, 3), (3, 1), (1, 2, 0, 1)), (1, 2, 0)]
    for (kernel, stride, padding), (c, h, w) in itertools.product(
        pools, [(1, 2, 3), (5, 7, 9), (16, 8, 8)]
    ):
        for cls in (MaxPool2d, AvgPool2d):
            b = Builder(rng, (c, h, w))
            b.pool(cls, b.affine("image"), kernel=kernel, stride=stride, padding=padding)
            yield f"{cls.OP}-{kernel}-{stride}-{padding}-{c}x{h}x{w}", b
    convs: list[tuple[Any, Any, Any, Any]] = [
        (3, 1, 1, 1), (2, 2, 0, 1), (1, 1, 0, 1), (3, 2, 1, 1), (3, 1, 2, 2), (5, 1, 4, 2),
        ((1, 3), (2, 1), (0, 3, 1, 0), (1, 2)),
    ]  # fmt: skip
    for (k, s, p, d), (c, o) in itertools.product(convs, [(1, 1), (3, 9), (17, 5)]):
        b = Builder(rng, (c, 6, 5))
        relu = "relu" if (c + s if isinstance(s, int) else c) % 2 else "none"
        geometry = {"kernel": k, "stride": s, "padding": p, "dilation": d}
        b.conv2d("image", o, **geometry, activation=relu, bias=c != 3)
        yield f"conv2d-{k}-{s}-{p}-{d}-{c}-{o}", b


def _binary_programs(rng: np.random.Generator) -> Iterator[tuple[str, Builder]]:
    stages = [(kind,) for kind in STAGE_KINDS]
    for st, fold in itertools.product([*stages, STAGE_KINDS], [False, True]):
        b = Builder(rng, (37, 6, 5))
        b.binary_conv2d(b.binarize("image"), 11, stages=st, fold=fold)
        yield f"binary_conv2d-{'+'.join(st)}-{'fold' if fold else 'plain'}", b


def step_programs(seed: int = 0) -> Iterator[tuple[str, PackedModel]]:
    """A (name, model) for every step, with its edge cases; the names make test ids."""
    rng = np.random.default_rng(seed)
    for name, b in itertools.chain(
        _float_programs(rng), _window_programs(rng), _binary_programs(rng)
    ):
        yield name, b.finish()


def _random_conv(b: Builder, x: str, binary: bool) -> None:
    rng = b.rng
    _, h, w = b.shape(x)
    k, s, d = (int(rng.choice(v)) for v in ([1, 3, 5], [1, 2], [1, 2]))
    least = max(0, -(-(d * (k - 1) + 1 - min(h, w)) // 2))
    geometry = {"kernel": k, "stride": s, "dilation": d, "padding": least + int(rng.integers(0, 3))}
    o = int(rng.integers(1, 40))
    if not binary:
        b.conv2d(x, min(o, 8), activation=str(rng.choice(["none", "relu"])), **geometry)
        return
    kinds = rng.choice(STAGE_KINDS, int(rng.integers(1, 4)))
    b.binary_conv2d(
        b.binarize(x), o, stages=tuple(map(str, kinds)), fold=bool(rng.random() < 0.5), **geometry
    )


def _random_step(b: Builder, op: str, x: str) -> None:
    c, h, w = b.shape(x)
    if op == "pool":
        cls = MaxPool2d if b.rng.random() < 0.5 else AvgPool2d
        stride, padding = int(b.rng.integers(1, 3)), int(min(h, w) > 2)
        b.pool(cls, x, kernel=min(3, h, w), stride=stride, padding=padding)
    elif op == "concat":
        b.concat(x, b.affine(x))
    elif op == "add_slice":
        b.add_slice(b.concat(x, x), x, int(b.rng.integers(0, c + 1)))
    elif op == "select_channels":
        b.select_channels(x, b.rng.integers(-1, c, int(b.rng.integers(1, 40))))
    elif op in ("conv2d", "binary_conv2d"):
        _random_conv(b, x, op == "binary_conv2d")
    else:
        getattr(b, op)(x)


def random_program(rng: np.random.Generator, *, steps: int = 8) -> PackedModel:
    """A random mixture of about `steps` steps on a random small input."""
    shape = (int(rng.integers(1, 20)), int(rng.integers(1, 14)), int(rng.integers(1, 14)))
    b = Builder(rng, shape)
    ops = ["affine", "relu", "pool", "concat", "add_slice", "select_channels", "conv2d"]
    for _ in range(steps):
        floats = [name for name, value in b.values.items() if value.kind == "f32"]
        small = [name for name in floats if b.shape(name)[0] <= 100]
        op = "binary_conv2d" if rng.random() < 0.5 else str(rng.choice(ops))
        _random_step(b, op, small[-int(rng.integers(1, min(4, len(small)) + 1))])
    return b.finish()
