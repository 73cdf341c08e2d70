"""A seeded generator of valid random packed models.

`conv_program` makes one binary convolution in a chosen geometry, `step_programs` one small program
for every step and its edge cases, `random_program` a mixture. Shapes: C in, O out, H W.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from bnas_deploy.format.program import PackedModel
from bnas_deploy.format.steps import (
    AvgPool2d,
    MaxPool2d,
)
from support.program_builder import AFFINE_KINDS, STAGE_KINDS, Builder, pair


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
        for op in ("affine", "relu", "binarize", "global_avg_pool", "prelu", "clip", "sigmoid"):
            b = Builder(rng, (c, h, w))
            getattr(b, op)(b.affine("image"))
            yield f"{op}-{tag}", b
        b = Builder(np.random.default_rng([c, h, w]), (c, h, w))
        b.hard_sigmoid(b.affine("image"))
        yield f"hard_sigmoid-{tag}", b
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
        pools, [(1, 2, 3), (5, 7, 9), (17, 9, 71)]
    ):
        for minimum in (False, True):
            b = Builder(rng, (c, h, w))
            geometry = {"kernel": kernel, "stride": stride, "padding": padding}
            b.binary_max_pool2d(b.binarize("image"), minimum=minimum, **geometry)
            yield f"binary_max_pool2d-{minimum}-{kernel}-{stride}-{padding}-{c}x{h}x{w}", b
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
    stages = [(kind,) for kind in (*STAGE_KINDS, *AFFINE_KINDS)]
    for st, fold in itertools.product([*stages, STAGE_KINDS, AFFINE_KINDS], [False, True]):
        b = Builder(rng, (37, 6, 5))
        b.binary_conv2d(b.binarize("image"), 11, stages=st, fold=fold)
        yield f"binary_conv2d-{'+'.join(st)}-{'fold' if fold else 'plain'}", b


def _quantized_programs(rng: np.random.Generator) -> Iterator[tuple[str, Builder]]:
    windows: list[tuple[Any, Any, Any, Any]] = [
        (1, 1, 0, 1), (2, 2, 0, 1), (3, 1, 1, 1), (3, 2, (1, 0, 2, 1), 1), (3, 1, 2, 2),
        ((1, 3), (2, 1), (0, 3, 1, 0), (1, 2)),
    ]  # fmt: skip
    channels = [(1, 1), (2, 8), (3, 9), (17, 5), (64, 16), (65, 17)]
    for (k, s, p, d), (c, o) in itertools.product(windows, channels):
        b = Builder(rng, (c, 6, 5))
        geometry = {"kernel": k, "stride": s, "padding": p, "dilation": d}
        b.quantized_conv2d("image", o, **geometry, activation="relu" if o % 2 else "none")
        yield f"quantized_conv2d-{k}-{s}-{p}-{d}-{c}-{o}", b
    for c, h, w in [(5, 1, 1), (384, 1, 1), (2, 3, 5), (6, 16, 16), (3, 17, 33)]:
        b = Builder(rng, (c, h, w))
        b.quantized_conv2d(b.affine("image"), 10, kernel=1, padding=0)
        yield f"quantized_conv2d-{c}x{h}x{w}", b


def _scale_programs(rng: np.random.Generator) -> Iterator[tuple[str, Builder]]:
    windows: list[tuple[Any, Any, Any, Any]] = [
        (1, 1, 0, 1), (3, 1, 1, 1), (3, 2, (1, 0, 2, 1), 1), (5, 1, 4, 2), (3, 2, 2, 2),
        ((1, 3), (2, 1), (0, 3, 1, 0), (1, 2)), (5, 1, 18, 9), ((17, 16), 1, 8, 1),
    ]  # fmt: skip
    for (k, s, p, d), (c, h, w) in itertools.product(
        windows, [(1, 6, 5), (7, 9, 3), (8, 8, 8), (17, 5, 13), (65, 4, 4)]
    ):
        b = Builder(rng, (c, h, w))
        geometry = {"kernel": k, "stride": s, "padding": p, "dilation": d}
        b.binary_depthwise_conv2d(b.binarize("image"), stages=STAGE_KINDS, **geometry)
        yield f"binary_depthwise_conv2d-{k}-{s}-{p}-{d}-{c}x{h}x{w}", b
    for c, h, w in [(1, 1, 1), (3, 5, 7), (8, 8, 8), (65, 3, 11), (2, 33, 31)]:
        b = Builder(rng, (c, h, w))
        b.multiply(b.affine("image"), b.mean_magnitude("image"))
        yield f"multiply-{c}x{h}x{w}", b
        b = Builder(rng, (c, h, w))
        k = b.mean_magnitude("image")
        b.multiply(b.multiply(k, k), b.mean_magnitude(k))
        yield f"multiply-one-plane-{c}x{h}x{w}", b
        b = Builder(rng, (c, h, w))
        x = b.multiply(b.affine("image"), b.sigmoid(b.global_avg_pool("image")))
        x = b.multiply(b.multiply(x, x), b.constant(1, h, w))
        b.multiply(b.multiply(x, b.constant(c, h, w)), b.constant(1, 1, 1))
        yield f"multiply-broadcast-{c}x{h}x{w}", b
    for c, o, h, w in [(9, 130, 5, 5), (70, 64, 3, 3)]:  # whose outputs lie in the lanes
        b = Builder(rng, (c, h, w))
        b.binary_conv2d(b.binarize("image"), o, stages=AFFINE_KINDS)
        yield f"binary_conv2d-affine-{c}-{o}-{h}x{w}", b


def _grouped_programs(rng: np.random.Generator) -> Iterator[tuple[str, Builder]]:
    # (groups, C/groups, O/groups): planes that groups fill, share, and straddle.
    groups = [(2, 8, 8), (2, 64, 8), (3, 8, 5), (4, 4, 4), (5, 3, 2), (2, 9, 17), (7, 1, 1),
              (3, 16, 24), (2, 13, 8), (9, 1, 3), (2, 300, 8)]  # fmt: skip
    windows: list[tuple[Any, Any, Any, Any]] = [
        (1, 1, 0, 1), (3, 1, 1, 1), (3, 2, (1, 0, 2, 1), 1), ((1, 3), (2, 1), (0, 3, 1, 0), (1, 2)),
    ]  # fmt: skip
    for (k, s, p, d), (g, c, o) in itertools.product(windows, groups):
        geometry = {"kernel": k, "stride": s, "padding": p, "dilation": d, "groups": g}
        h, w = (6, 5) if c < 64 or k != 3 else (9, 17)
        b = Builder(rng, (g * c, h, w))
        fold = bool(rng.random() < 0.5)
        b.binary_conv2d(b.binarize("image"), g * o, stages=STAGE_KINDS, fold=fold, **geometry)
        yield f"binary_grouped_conv2d-{g}x{c}-{g}x{o}-{k}-{s}-{p}", b
        b = Builder(rng, (g * c, h, w))
        stages = ("threshold", "scale_relu", "threshold")  # which bytes can hold
        b.binary_conv2d(b.binarize("image"), g * o, stages=stages, **geometry)
        yield f"binary_grouped_conv2d-bytes-{g}x{c}-{g}x{o}-{k}-{s}-{p}", b
        if c < 64:
            b = Builder(rng, (g * c, h, w))
            b.conv2d("image", g * o, **geometry, activation="relu" if o % 2 else "none")
            yield f"grouped_conv2d-{g}x{c}-{g}x{o}-{k}-{s}-{p}", b


def step_programs(seed: int = 0) -> Iterator[tuple[str, PackedModel]]:
    """A (name, model) for every step, with its edge cases; the names make test ids."""
    rng = np.random.default_rng(seed)
    for name, b in itertools.chain(
        _float_programs(rng),
        _window_programs(rng),
        _binary_programs(rng),
        _quantized_programs(np.random.default_rng([seed, 8])),
        _scale_programs(np.random.default_rng([seed, 9])),
        _grouped_programs(np.random.default_rng([seed, 10])),
    ):
        yield name, b.finish()


def _random_conv(b: Builder, x: str, op: str) -> None:
    rng = b.rng
    _, h, w = b.shape(x)
    k, s, d = (int(rng.choice(v)) for v in ([1, 3, 5], [1, 2], [1, 2]))
    least = max(0, -(-(d * (k - 1) + 1 - min(h, w)) // 2))
    geometry = {"kernel": k, "stride": s, "dilation": d, "padding": least + int(rng.integers(0, 3))}
    o = int(rng.integers(1, 40))
    kinds = rng.choice((*STAGE_KINDS, *AFFINE_KINDS), int(rng.integers(1, 4)))
    if op in ("conv2d", "binary_conv2d") and rng.random() < 0.3:
        c = b.shape(x)[0]
        geometry["groups"] = int(rng.choice([g for g in range(1, c + 1) if c % g == 0]))
        o = geometry["groups"] * int(rng.integers(1, 4))
    if op == "binary_depthwise_conv2d":
        b.binary_depthwise_conv2d(b.binarize(x), stages=tuple(map(str, kinds)), **geometry)
        return
    if op != "binary_conv2d":
        outputs = o if "groups" in geometry else min(o, 8)
        getattr(b, op)(x, outputs, activation=str(rng.choice(["none", "relu"])), **geometry)
        return
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
    elif op == "multiply":
        factors = [b.mean_magnitude, b.sigmoid, b.global_avg_pool, b.hard_sigmoid]
        b.multiply(x, factors[int(b.rng.integers(4))](x))
    elif op == "constant":
        b.add_slice(x, b.constant(c, h, w), 0)
    elif op == "binary_max_pool2d":
        stride, padding = int(b.rng.integers(1, 3)), int(min(h, w) > 2)
        b.binary_max_pool2d(b.binarize(x), kernel=min(3, h, w), stride=stride, padding=padding)
    elif "conv2d" in op:
        _random_conv(b, x, op)
    else:
        getattr(b, op)(x)


def random_program(rng: np.random.Generator, *, steps: int = 8) -> PackedModel:
    """A random mixture of about `steps` steps on a random small input."""
    shape = (int(rng.integers(1, 20)), int(rng.integers(1, 14)), int(rng.integers(1, 14)))
    b = Builder(rng, shape)
    ops = [
        "affine", "relu", "pool", "concat", "add_slice", "select_channels", "conv2d",
        "quantized_conv2d", "binary_depthwise_conv2d", "multiply", "prelu", "clip", "sigmoid",
        "constant", "binary_max_pool2d", "hard_sigmoid",
    ]  # fmt: skip
    for _ in range(steps):
        floats = [name for name, value in b.values.items() if value.kind == "f32"]
        small = [name for name in floats if b.shape(name)[0] <= 100]
        op = "binary_conv2d" if rng.random() < 0.5 else str(rng.choice(ops))
        _random_step(b, op, small[-int(rng.integers(1, min(4, len(small)) + 1))])
    return b.finish()
