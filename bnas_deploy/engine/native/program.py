"""From the steps of a program to calls of the kernels' builder; no arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from bnas_deploy import _kernels
from bnas_deploy.errors import BackendError
from bnas_deploy.format.program import PackedModel
from bnas_deploy.format.steps import (
    AddSlice,
    Affine,
    AffineStage,
    AvgPool2d,
    Binarize,
    BinaryConv2d,
    BinaryDepthwiseConv2d,
    BinaryGroupedConv2d,
    BinaryMaxPool2d,
    Clip,
    Concat,
    Constant,
    Conv2d,
    GlobalAvgPool,
    GroupedConv2d,
    Linear,
    MaxPool2d,
    MeanMagnitude,
    Multiply,
    Prelu,
    QuantizedConv2d,
    Relu,
    SelectChannels,
    Sigmoid,
    Stage,
    Step,
    ThresholdStage,
)

__all__ = ["build"]

Tensor = npt.NDArray[np.generic]


class _Names:
    """Looks names up: values become numbers, tensors contiguous, aligned arrays."""

    def __init__(self, model: PackedModel, ids: dict[str, int]) -> None:
        self.id = ids
        self._tensors = model.tensors

    def tensor(self, name: str) -> Tensor:
        return np.require(self._tensors[name], requirements=("C", "A"))

    def optional(self, name: str | None) -> Tensor | None:
        return None if name is None else self.tensor(name)

    def kernel_size(self, name: str) -> tuple[int, int]:
        _, _, kh, kw = self._tensors[name].shape
        return kh, kw


def build(model: PackedModel, isa: str) -> _kernels.Model:
    """Build the program for an instruction set that this machine can run.

    Raises:
        BackendError: The kernels refuse the program; the message says which step and why.
    """
    program = model.program
    builder = _kernels.Builder(isa)
    try:
        ids = {
            name: builder.add_value(value.kind == "bits", *value.shape)
            for name, value in program.values.items()
        }
        names = _Names(model, ids)
        for step in program.steps:
            _ADD[type(step)](builder, step, names)
        return builder.build(ids[program.input], ids[program.output])
    except (ValueError, TypeError) as error:
        msg = f"the native backend cannot run this program: {error}"
        raise BackendError(msg) from error


def _affine(b: _kernels.Builder, s: Affine, n: _Names) -> None:
    b.affine(n.id[s.input], n.id[s.output], n.tensor(s.scale), n.tensor(s.shift))


def _relu(b: _kernels.Builder, s: Relu, n: _Names) -> None:
    b.relu(n.id[s.input], n.id[s.output])


def _prelu(b: _kernels.Builder, s: Prelu, n: _Names) -> None:
    b.prelu(n.id[s.input], n.id[s.output], n.tensor(s.slope))


def _clip(b: _kernels.Builder, s: Clip, n: _Names) -> None:
    b.clip(n.id[s.input], n.id[s.output], n.tensor(s.low), n.tensor(s.high))


def _sigmoid(b: _kernels.Builder, s: Sigmoid, n: _Names) -> None:
    b.sigmoid(n.id[s.input], n.id[s.output])


def _constant(b: _kernels.Builder, s: Constant, n: _Names) -> None:
    b.constant(n.id[s.output], n.tensor(s.value))


def _binary_max_pool2d(b: _kernels.Builder, s: BinaryMaxPool2d, n: _Names) -> None:
    minimum = n.optional(s.minimum)
    b.pool_bits(n.id[s.input], n.id[s.output], minimum, s.kernel, s.stride, s.padding)


def _conv2d(b: _kernels.Builder, s: Conv2d | GroupedConv2d, n: _Names) -> None:
    b.conv2d(
        n.id[s.input], n.id[s.output], n.tensor(s.weight), n.optional(s.bias),
        n.kernel_size(s.weight), s.stride, s.padding, s.dilation, s.activation == "relu",
        s.groups if isinstance(s, GroupedConv2d) else 1,
    )  # fmt: skip


def _binarize(b: _kernels.Builder, s: Binarize, n: _Names) -> None:
    b.binarize(n.id[s.input], n.id[s.output], n.tensor(s.threshold), n.tensor(s.flip))


def _stage(s: Stage, n: _Names) -> tuple[Any, ...]:
    if isinstance(s, ThresholdStage):
        return "threshold", n.id[s.output], n.tensor(s.threshold), n.tensor(s.flip)
    addend = None if s.addend is None else n.id[s.addend]
    shift = n.tensor(s.shift) if isinstance(s, AffineStage) else None
    return "scale", n.id[s.output], n.tensor(s.scale), shift, s.activation == "relu", addend, s.at


def _binary_conv2d(b: _kernels.Builder, s: BinaryConv2d | BinaryGroupedConv2d, n: _Names) -> None:
    b.binary_conv2d(
        n.id[s.input], n.tensor(s.weight), n.optional(s.fold),
        s.kernel, s.stride, s.padding, s.dilation, [_stage(stage, n) for stage in s.stages],
        s.groups if isinstance(s, BinaryGroupedConv2d) else 1,
    )  # fmt: skip


def _binary_depthwise_conv2d(b: _kernels.Builder, s: BinaryDepthwiseConv2d, n: _Names) -> None:
    b.depthwise_conv2d(
        n.id[s.input], n.tensor(s.weight),
        s.kernel, s.stride, s.padding, s.dilation, [_stage(stage, n) for stage in s.stages],
    )  # fmt: skip


def _mean_magnitude(b: _kernels.Builder, s: MeanMagnitude, n: _Names) -> None:
    tensors = n.tensor(s.scale), n.tensor(s.shift), n.tensor(s.terms)
    b.mean_magnitude(n.id[s.input], n.id[s.output], *tensors)


def _multiply(b: _kernels.Builder, s: Multiply, n: _Names) -> None:
    b.multiply(n.id[s.input], n.id[s.factor], n.id[s.output])


def _quantized_conv2d(b: _kernels.Builder, s: QuantizedConv2d, n: _Names) -> None:
    b.quantized_conv2d(
        n.id[s.input], n.id[s.output], n.tensor(s.weight), n.tensor(s.offset), n.tensor(s.scale),
        n.tensor(s.input_scale), n.tensor(s.input_zero),
        n.kernel_size(s.weight), s.stride, s.padding, s.dilation, s.activation == "relu",
    )  # fmt: skip


def _pool(b: _kernels.Builder, s: MaxPool2d | AvgPool2d, n: _Names) -> None:
    average = isinstance(s, AvgPool2d)
    b.pool(n.id[s.input], n.id[s.output], s.kernel, s.stride, s.padding, average)


def _add_slice(b: _kernels.Builder, s: AddSlice, n: _Names) -> None:
    b.add_slice(n.id[s.input], n.id[s.addend], n.id[s.output], s.at)


def _concat(b: _kernels.Builder, s: Concat, n: _Names) -> None:
    b.concat([n.id[name] for name in s.inputs], n.id[s.output])


def _select_channels(b: _kernels.Builder, s: SelectChannels, n: _Names) -> None:
    b.select_channels(n.id[s.input], n.id[s.output], n.tensor(s.index))


def _global_avg_pool(b: _kernels.Builder, s: GlobalAvgPool, n: _Names) -> None:
    b.global_avg_pool(n.id[s.input], n.id[s.output])


def _linear(b: _kernels.Builder, s: Linear, n: _Names) -> None:
    b.linear(n.id[s.input], n.id[s.output], n.tensor(s.weight), n.optional(s.bias))


_ADD: dict[type[Step], Callable[[_kernels.Builder, Any, _Names], None]] = {
    Affine: _affine,
    Relu: _relu,
    Prelu: _prelu,
    Clip: _clip,
    Sigmoid: _sigmoid,
    Constant: _constant,
    BinaryMaxPool2d: _binary_max_pool2d,
    Conv2d: _conv2d,
    GroupedConv2d: _conv2d,
    Binarize: _binarize,
    BinaryConv2d: _binary_conv2d,
    BinaryGroupedConv2d: _binary_conv2d,
    BinaryDepthwiseConv2d: _binary_depthwise_conv2d,
    QuantizedConv2d: _quantized_conv2d,
    MaxPool2d: _pool,
    AvgPool2d: _pool,
    AddSlice: _add_slice,
    MeanMagnitude: _mean_magnitude,
    Multiply: _multiply,
    Concat: _concat,
    SelectChannels: _select_channels,
    GlobalAvgPool: _global_avg_pool,
    Linear: _linear,
}
