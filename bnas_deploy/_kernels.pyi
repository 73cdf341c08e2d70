"""Types of the compiled module; the meaning of each call is in kernels/bindings."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[np.generic]
_Floats = npt.NDArray[np.float32]
_Pair = tuple[int, int]
_Padding = tuple[int, int, int, int]

class Execution:
    def repeat(self, step: int, times: int) -> None: ...

class Model:
    @property
    def isa(self) -> str: ...
    def run(self, images: _Floats, threads: int) -> _Floats: ...
    def trace(self, image: _Floats) -> list[_Array]: ...
    def profile(self, image: _Floats) -> npt.NDArray[np.float64]: ...
    def execution(self, image: _Floats) -> Execution: ...
    def describe(self) -> list[tuple[int, str, str, int, int, int]]: ...
    def memory(self) -> dict[str, int]: ...

class Builder:
    def __init__(self, isa: str) -> None: ...
    def add_value(self, bits: bool, channels: int, height: int, width: int) -> int: ...
    def affine(self, input: int, output: int, scale: _Array, shift: _Array, /) -> None: ...
    def relu(self, input: int, output: int, /) -> None: ...
    def prelu(self, input: int, output: int, slope: _Array, /) -> None: ...
    def clip(self, input: int, output: int, low: _Array, high: _Array, /) -> None: ...
    def sigmoid(self, input: int, output: int, /) -> None: ...
    def constant(self, output: int, values: _Array, /) -> None: ...
    def pool_bits(
        self,
        input: int,
        output: int,
        minimum: _Array | None,
        kernel: _Pair,
        stride: _Pair,
        padding: _Padding,
        /,
    ) -> None: ...
    def conv2d(
        self,
        input: int,
        output: int,
        weight: _Array,
        bias: _Array | None,
        kernel: _Pair,
        stride: _Pair,
        padding: _Padding,
        dilation: _Pair,
        relu: bool,
        groups: int,
        /,
    ) -> None: ...
    def quantized_conv2d(
        self,
        input: int,
        output: int,
        weight: _Array,
        offset: _Array,
        scale: _Array,
        input_scale: _Array,
        input_zero: _Array,
        kernel: _Pair,
        stride: _Pair,
        padding: _Padding,
        dilation: _Pair,
        relu: bool,
        /,
    ) -> None: ...
    def binarize(self, input: int, output: int, threshold: _Array, flip: _Array, /) -> None: ...
    def binary_conv2d(
        self,
        input: int,
        weight: _Array,
        fold: _Array | None,
        kernel: _Pair,
        stride: _Pair,
        padding: _Padding,
        dilation: _Pair,
        stages: list[tuple[Any, ...]],
        groups: int,
        /,
    ) -> None: ...
    def depthwise_conv2d(
        self,
        input: int,
        weight: _Array,
        kernel: _Pair,
        stride: _Pair,
        padding: _Padding,
        dilation: _Pair,
        stages: list[tuple[Any, ...]],
        /,
    ) -> None: ...
    def mean_magnitude(
        self, input: int, output: int, scale: _Array, shift: _Array, terms: _Array, /
    ) -> None: ...
    def multiply(self, input: int, factor: int, output: int, /) -> None: ...
    def pool(
        self,
        input: int,
        output: int,
        kernel: _Pair,
        stride: _Pair,
        padding: _Padding,
        average: bool,
        /,
    ) -> None: ...
    def add_slice(self, input: int, addend: int, output: int, at: int, /) -> None: ...
    def concat(self, inputs: list[int], output: int, /) -> None: ...
    def select_channels(self, input: int, output: int, index: _Array, /) -> None: ...
    def global_avg_pool(self, input: int, output: int, /) -> None: ...
    def linear(self, input: int, output: int, weight: _Array, bias: _Array | None, /) -> None: ...
    def build(self, input: int, output: int) -> Model: ...

def isas() -> dict[str, list[str]]: ...
def popcount_peak(isa: str, milliseconds: float) -> float: ...
def clock_rate(milliseconds: float) -> float: ...
