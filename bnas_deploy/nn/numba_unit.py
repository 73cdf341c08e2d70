"""BatchNorm and sign fused, for training on a CPU in bfloat16.

In such a training run reading and writing activations costs far more than the convolutions. PyTorch
passes over them some twenty times between the input of a BatchNorm and the gradient of it;
this does it four times. Shapes: M = N * H * W positions, C channels; activations lie channels last.

With A = gamma / sqrt(var + eps) and B = beta - mean * A, the BatchNorm's output is y = A x + B. For
an incoming gradient G, d = G * 1[|y| < 1] is the gradient of y and
dx = A (d - mean(d) - xhat mean(d xhat)), which is A d + K1 + K2 x for constants of the channel.
Without the sign d is G itself: the 1 of the mask becomes infinity.
"""

from __future__ import annotations

from typing import Protocol

import numba
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from bnas_deploy.nn import numba_kernels as kernels
from bnas_deploy.nn.layers import ConvUnit, count_batch, normalise, running_statistics
from bnas_deploy.nn.numba_kernels import Bits, Floats
from bnas_deploy.nn.shortcuts import Shortcut
from bnas_deploy.nn.skip_connect import FactorizedReduction

__all__ = [
    "Doubles",
    "fused_normalise",
    "fused_relu",
    "install",
]

_ROWS = 1024
"""Positions summed in float32 before the sum goes on in float64."""

Doubles = npt.NDArray[np.float64]


class _Context(Protocol):
    saved_tensors: tuple[Tensor, ...]
    constants: tuple[Floats, Floats, Doubles, Doubles, np.float32]

    def save_for_backward(self, *tensors: Tensor) -> None: ...
    def mark_dirty(self, *tensors: Tensor) -> None: ...
    def mark_non_differentiable(self, *tensors: Tensor) -> None: ...


def install(network: nn.Module) -> None:
    """Make every unit and shortcut of a network use the fused form where it applies.

    It applies in training mode to bfloat16 activations on a CPU; elsewhere they compute as before.
    The values agree up to float rounding of the BatchNorm.
    """
    most = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    threads = torch.get_num_threads()
    numba.set_num_threads(min(threads, most))
    # Numba starts OpenMP with a thread a core, and PyTorch, which shares it, follows.
    torch.set_num_threads(threads)
    for module in network.modules():
        if isinstance(module, ConvUnit | FactorizedReduction | Shortcut):
            module.normalise = fused_normalise
        if isinstance(module, ConvUnit | FactorizedReduction):
            module.rectify = fused_relu


def fused_normalise(bn: nn.BatchNorm2d, x: Tensor, *, binary: bool) -> Tensor:
    """Do what `layers.normalise` does, in fewer passes over memory."""
    if not (bn.training and x.device.type == "cpu" and x.dtype == torch.bfloat16):
        return normalise(bn, x, binary=binary)
    live = x.shape[1]
    gamma = bn.weight[:live] if bn.affine else torch.ones(live)
    beta = bn.bias[:live] if bn.affine else torch.zeros(live)
    apply = _FusedNormalise.apply
    y, mean, var = apply(x, gamma, beta, bn.eps, binary)  # type: ignore[no-untyped-call]
    count_batch(bn, live)
    _update_running(bn, mean, var, positions=x.numel() // live)
    signs_or_values: Tensor = y
    return signs_or_values


def fused_relu(x: Tensor) -> Tensor:
    """Do what `relu_` does; its gradient is fast for a slice of a concatenation's gradient too."""
    if x.device.type == "cpu" and x.dtype == torch.bfloat16 and x.requires_grad:
        y: Tensor = _FusedRelu.apply(x)  # type: ignore[no-untyped-call]
        return y
    return x.relu_()


class _FusedRelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: _Context, x: Tensor) -> Tensor:
        x.relu_()
        ctx.mark_dirty(x)
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx: _Context, *grads: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        y = y.contiguous(memory_format=torch.channels_last)
        out = torch.empty_like(y)
        grad, first = _wide_rows(grads[0].to(y.dtype))
        kernels.relu_gradient(_rows(y), grad, first, _rows(out))
        return out


class _FusedNormalise(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: _Context, x: Tensor, gamma: Tensor, beta: Tensor, eps: float, binary: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        x = x.contiguous(memory_format=torch.channels_last)
        rows = _rows(x)
        sums = _block_sums(rows.shape)
        kernels.moments(rows, _ROWS, sums)
        mean, square = sums.sum(axis=0, dtype=np.float64) / len(rows)
        var = np.maximum(square - mean * mean, 0.0)
        inverse = 1.0 / np.sqrt(var + eps)
        a, b = _line(gamma, beta, mean, inverse)
        y = torch.empty_like(x)
        (kernels.signs if binary else kernels.values)(rows, a, b, _rows(y))
        ctx.save_for_backward(x)
        ctx.constants = (a, b, mean, inverse, kernels.ONE if binary else kernels.INFINITY)
        mean_out, var_out = torch.from_numpy(mean).float(), torch.from_numpy(var).float()
        ctx.mark_non_differentiable(mean_out, var_out)
        return y, mean_out, var_out

    @staticmethod
    def backward(ctx: _Context, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        (x,) = ctx.saved_tensors
        a, b, mean, inverse, limit = ctx.constants
        rows = _rows(x)
        grad = _rows(grads[0].to(x.dtype).contiguous(memory_format=torch.channels_last))
        sums = _block_sums(rows.shape)
        kernels.masked_sums(rows, grad, a, b, limit, _ROWS, sums)
        d, dx = sums.sum(axis=0, dtype=np.float64)
        d_hat = (dx - mean * d) * inverse
        k2 = -a * inverse * d_hat / len(rows)
        k1 = (-a * d / len(rows) - k2 * mean).astype(np.float32)
        out = torch.empty_like(x)
        kernels.input_gradient(rows, grad, a, b, limit, k1, k2.astype(np.float32), _rows(out))
        gamma_grad, beta_grad = torch.from_numpy(d_hat).float(), torch.from_numpy(d).float()
        return out, gamma_grad, beta_grad, None, None


def _line(gamma: Tensor, beta: Tensor, mean: Doubles, inverse: Doubles) -> tuple[Floats, Floats]:
    a = gamma.detach().numpy() * inverse
    b = beta.detach().numpy() - mean * a
    return a.astype(np.float32), b.astype(np.float32)


def _rows(x: Tensor) -> Bits:
    """View bfloat16 activations that lie channels last as (M, C) bit patterns."""
    bits: Bits = x.permute(0, 2, 3, 1).reshape(-1, x.shape[1]).view(torch.int16).numpy()
    return bits.view(np.uint16)


def _wide_rows(x: Tensor) -> tuple[Bits, int]:
    """View a slice of channels as the rows (M, S) of the whole and the slice's first channel."""
    count, channels, height, width = x.shape
    stride = x.stride(3)
    first = int(x.storage_offset()) % stride if stride else 0
    strides = (height * width * stride, 1, width * stride, stride)
    rows, start = count * height * width, x.storage_offset() - first
    end = start + rows * stride
    inside = first + channels <= stride and end * x.element_size() <= x.untyped_storage().nbytes()
    if x.stride() != strides or not inside:
        return _rows(x.contiguous(memory_format=torch.channels_last)), 0
    wide = x.as_strided((rows, stride), (stride, 1), start)
    return wide.view(torch.int16).numpy().view(np.uint16), first


def _block_sums(shape: tuple[int, ...]) -> Floats:
    return np.zeros((-(-shape[0] // _ROWS), 2, shape[1]), np.float32)


@torch.no_grad()
def _update_running(bn: nn.BatchNorm2d, mean: Tensor, var: Tensor, *, positions: int) -> None:
    running_mean, running_var, momentum = running_statistics(bn)
    live = len(mean)
    running_mean[:live].lerp_(mean, momentum)
    running_var[:live].lerp_(var * (positions / max(positions - 1, 1)), momentum)
