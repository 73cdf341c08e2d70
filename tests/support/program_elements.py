"""What a builder of random programs keeps, and its steps of one element at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnas_deploy.bits import pack_rows
from bnas_deploy.format.program import Value
from bnas_deploy.format.steps import (
    Affine,
    Clip,
    Constant,
    HardSigmoid,
    Multiply,
    Prelu,
    Relu,
    Sigmoid,
    Step,
)


class Elements:
    """Values, tensors and steps so far; methods return the name of the value that they assign."""

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

    def prelu(self, x: str) -> str:
        out = self.value("f32", self.shape(x))
        self.steps.append(Prelu(x, out, self.floats(self.shape(x)[0])))
        return out

    def clip(self, x: str) -> str:
        c, out = self.shape(x)[0], self.value("f32", self.shape(x))
        low, high = np.sort(self.rng.standard_normal((2, c), dtype=np.float32), axis=0)
        low[self.rng.random(c) < 0.2], high[self.rng.random(c) < 0.2] = -np.inf, np.inf
        low, high = np.where(self.rng.random(c) < 0.2, -np.float32(0), low), np.maximum(high, 0)
        self.steps.append(Clip(x, out, self.tensor(np.minimum(low, high)), self.tensor(high)))
        return out

    def sigmoid(self, x: str) -> str:
        out = self.value("f32", self.shape(x))
        self.steps.append(Sigmoid(x, out))
        return out

    def hard_sigmoid(self, x: str) -> str:
        out = self.value("f32", self.shape(x))
        terms = np.array([self.rng.choice([0.2, 1 / 6, -0.7]), self.rng.random()], np.float32)
        self.steps.append(HardSigmoid(x, out, self.tensor(terms)))
        return out

    def constant(self, *shape: int) -> str:
        out = self.value("f32", shape)
        self.steps.append(Constant(out, self.floats(*shape)))
        return out

    def multiply(self, x: str, factor: str) -> str:
        out = self.value("f32", self.shape(x))
        self.steps.append(Multiply(x, factor, out))
        return out
