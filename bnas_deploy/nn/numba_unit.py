"""BatchNorm and sign fused for training on a CPU in bfloat16. Nothing else is made faster here.

In such a training run reading and writing activations costs far more than the convolutions. PyTorch
passes over them some twenty times between the input of a BatchNorm and the gradient of it;
this does it four times. Shapes: M = N * H * W positions, C channels; activations lie channels last.

With A = gamma / sqrt(var + eps) and B = beta - mean * A, the BatchNorm's output is y = A x + B. For
an incoming gradient G, d = G * 1[|y| < 1] is the gradient of y and
dx = A (d - mean(d) - xhat mean(d xhat)), which is A d + K1 + K2 x for constants of the channel.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from bnas_deploy.nn.layers import ConvUnit, bn_then_sign

_ROWS = 1024
"""Positions summed in float32 before the sum goes on in float64."""

_JIT: dict[str, Any] = {
    "parallel": True,
    "nogil": True,
    "cache": True,
    "error_model": "numpy",
    # Reassociation lets the sums run in vector registers; NaN and infinity keep their meaning.
    "fastmath": {"reassoc", "contract", "nsz", "arcp"},
}
_MINUS_ONE, _PLUS_ONE = np.uint16(0xBF80), np.uint16(0x3F80)  # in bfloat16
_SHIFT, _ROUND, _LOW = np.uint32(16), np.uint32(0x7FFF), np.uint32(1)
_ZERO, _ONE = np.float32(0), np.float32(1)

Bits = npt.NDArray[np.uint16]
Floats = npt.NDArray[np.float32]


def install(network: nn.Module) -> None:
    """Make every binary unit of a network use the fused form where it applies.

    It applies in training mode to bfloat16 activations on a CPU; elsewhere the units compute as
    before. The values agree up to float rounding of the BatchNorm.
    """
    for module in network.modules():
        if isinstance(module, ConvUnit) and module.binary:
            module.bn_sign = fused_bn_sign


def fused_bn_sign(bn: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """Return `ste_sign(bn(x))`, (N, C, H, W), and update the BatchNorm's running statistics."""
    if not (bn.training and x.device.type == "cpu" and x.dtype == torch.bfloat16):
        return bn_then_sign(bn, x)
    gamma = torch.ones(x.shape[1]) if bn.weight is None else bn.weight
    beta = torch.zeros(x.shape[1]) if bn.bias is None else bn.bias
    sign, mean, var = _FusedBnSign.apply(x, gamma, beta, bn.eps)
    _update_running(bn, mean, var, positions=x.numel() // x.shape[1])
    return sign


class _FusedBnSign(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, gamma: Tensor, beta: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        x = x.contiguous(memory_format=torch.channels_last)
        rows = _rows(x)
        sums = _block_sums(rows.shape)
        _moments(rows, _ROWS, sums)
        mean, square = sums.sum(axis=0, dtype=np.float64) / len(rows)
        var = np.maximum(square - mean * mean, 0.0)
        inverse = 1.0 / np.sqrt(var + eps)
        a, b = _line(gamma, beta, mean, inverse)
        sign = torch.empty_like(x)
        _signs(rows, a, b, _rows(sign))
        ctx.save_for_backward(x)
        ctx.constants = (a, b, mean, inverse)
        mean_out, var_out = torch.from_numpy(mean).float(), torch.from_numpy(var).float()
        ctx.mark_non_differentiable(mean_out, var_out)
        return sign, mean_out, var_out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        (x,) = ctx.saved_tensors
        a, b, mean, inverse = ctx.constants
        rows = _rows(x)
        grad = _rows(grads[0].to(x.dtype).contiguous(memory_format=torch.channels_last))
        sums = _block_sums(rows.shape)
        _masked_sums(rows, grad, a, b, _ROWS, sums)
        d, dx = sums.sum(axis=0, dtype=np.float64)
        d_hat = (dx - mean * d) * inverse
        k2 = -a * inverse * d_hat / len(rows)
        k1 = -a * d / len(rows) - k2 * mean
        out = torch.empty_like(x)
        _input_gradient(rows, grad, a, b, k1.astype(np.float32), k2.astype(np.float32), _rows(out))
        return out, torch.from_numpy(d_hat).float(), torch.from_numpy(d).float(), None


def _line(
    gamma: Tensor, beta: Tensor, mean: npt.NDArray[np.float64], inverse: npt.NDArray[np.float64]
) -> tuple[Floats, Floats]:
    a = gamma.detach().numpy() * inverse
    b = beta.detach().numpy() - mean * a
    return a.astype(np.float32), b.astype(np.float32)


def _rows(x: Tensor) -> Bits:
    """View bfloat16 activations that lie channels last as (M, C) bit patterns."""
    bits: Bits = x.permute(0, 2, 3, 1).reshape(-1, x.shape[1]).view(torch.int16).numpy()
    return bits.view(np.uint16)


def _block_sums(shape: tuple[int, ...]) -> Floats:
    return np.zeros((-(-shape[0] // _ROWS), 2, shape[1]), np.float32)


@torch.no_grad()
def _update_running(bn: nn.BatchNorm2d, mean: Tensor, var: Tensor, *, positions: int) -> None:
    assert bn.running_mean is not None
    assert bn.running_var is not None
    assert bn.num_batches_tracked is not None
    assert bn.momentum is not None
    bn.num_batches_tracked.add_(1)
    bn.running_mean.lerp_(mean, bn.momentum)
    bn.running_var.lerp_(var * (positions / max(positions - 1, 1)), bn.momentum)


@numba.njit(inline="always")
def _load(bits: Any) -> Any:
    return np.uint32(np.uint32(bits) << _SHIFT).view(np.float32)


@numba.njit(inline="always")
def _store(value: Any) -> Any:
    bits = np.float32(value).view(np.uint32)
    return np.uint16((bits + _ROUND + ((bits >> _SHIFT) & _LOW)) >> _SHIFT)


@numba.njit(inline="always")
def _masked(bits: Any, y: Any) -> Any:
    return _load(bits) if abs(y) < _ONE else _ZERO


@numba.njit(**_JIT)
def _moments(x: Bits, block: int, sums: Floats) -> None:
    rows, channels = x.shape
    for k in numba.prange(sums.shape[0]):
        total, square = sums[k, 0], sums[k, 1]
        for m in range(k * block, min(rows, (k + 1) * block)):
            for c in range(channels):
                value = _load(x[m, c])
                total[c] += value
                square[c] += value * value


@numba.njit(**_JIT)
def _signs(x: Bits, a: Floats, b: Floats, out: Bits) -> None:
    rows, channels = x.shape
    for m in numba.prange(rows):
        for c in range(channels):
            out[m, c] = _MINUS_ONE if _load(x[m, c]) * a[c] + b[c] < _ZERO else _PLUS_ONE


@numba.njit(**_JIT)
def _masked_sums(x: Bits, grad: Bits, a: Floats, b: Floats, block: int, sums: Floats) -> None:
    rows, channels = x.shape
    for k in numba.prange(sums.shape[0]):
        total, product = sums[k, 0], sums[k, 1]
        for m in range(k * block, min(rows, (k + 1) * block)):
            for c in range(channels):
                value = _load(x[m, c])
                d = _masked(grad[m, c], value * a[c] + b[c])
                total[c] += d
                product[c] += d * value


@numba.njit(**_JIT)
def _input_gradient(
    x: Bits, grad: Bits, a: Floats, b: Floats, k1: Floats, k2: Floats, out: Bits
) -> None:
    rows, channels = x.shape
    for m in numba.prange(rows):
        for c in range(channels):
            value = _load(x[m, c])
            d = _masked(grad[m, c], value * a[c] + b[c])
            out[m, c] = _store(d * a[c] + k1[c] + value * k2[c])
