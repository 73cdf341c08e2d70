"""What a network must do alike in all processes that share a batch.

Each process has a part of a batch (N of M images). Two things depend on all M: the statistics of a
BatchNorm, and the random choice of the images for which drop-path drops an edge. With `install`
both are as in one process with all M images, to within float rounding and exactly. The processes
must call the network alike, as every BatchNorm waits for all of them.

With S1 = sum G and S2 = sum G xhat over all positions of all processes, the gradient of a
BatchNorm's input is (G - S1 / P - xhat S2 / P) gamma / sqrt(var + eps), P the number of positions.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional

from bnas_deploy.nn.cell import Cell
from bnas_deploy.nn.layers import ConvUnit, count_batch, normalise, running_statistics
from bnas_deploy.nn.quantize import ste_sign
from bnas_deploy.nn.shortcuts import Shortcut
from bnas_deploy.nn.skip_connect import FactorizedReduction

__all__ = [
    "SharedBatchNorm2d",
    "SharedDrop",
    "install",
    "shared_normalise",
]


class _Context(Protocol):
    saved_tensors: tuple[Tensor, ...]
    needs_input_grad: tuple[bool, ...]

    def save_for_backward(self, *tensors: Tensor) -> None: ...
    def mark_non_differentiable(self, *tensors: Tensor) -> None: ...


class SharedDrop:
    """Drop-path's choice for a whole batch, of which this process has a part.

    Attributes:
        first: Position of this process's first image in the batch.
        total: Images of the batch in all processes.
    """

    def __init__(self) -> None:
        self.first, self.total = 0, 0

    def __call__(self, x: Tensor, probability: float) -> Tensor:
        """Zero samples of x, (N, ...), as `cell.drop_samples` would in one process."""
        keep = 1.0 - probability
        mask = torch.empty(self.total, 1, 1, 1, device=x.device, dtype=x.dtype).bernoulli_(keep)
        return x * mask[self.first : self.first + len(x)] / keep


class SharedBatchNorm2d(nn.BatchNorm2d):
    """A BatchNorm over the images of all processes in training mode; any device and backend.

    (`torch.nn.SyncBatchNorm` needs GPUs.)
    """

    def forward(self, input: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same."""
        return _normalise(self, input) if self.training else super().forward(input)


def install(network: nn.Module) -> SharedDrop:
    """Make every BatchNorm of a network shared, and its drop-path too.

    Returns:
        Whose `first` and `total` must be set before each forward pass.
    """
    drop = SharedDrop()
    for module in network.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SharedBatchNorm2d
        if isinstance(module, ConvUnit | FactorizedReduction | Shortcut):
            module.normalise = shared_normalise
        if isinstance(module, Cell):
            module.drop = drop
    return drop


def shared_normalise(bn: nn.BatchNorm2d, x: Tensor, *, binary: bool) -> Tensor:
    """Do what `layers.normalise` does, over the images of all processes."""
    if not bn.training:
        return normalise(bn, x, binary=binary)
    y = _normalise(bn, x)
    return ste_sign(y) if binary else y


def _normalise(bn: nn.BatchNorm2d, x: Tensor) -> Tensor:
    live = x.shape[1]
    weight, bias = (p[:live] if bn.affine else None for p in (bn.weight, bn.bias))
    apply = _SharedNormalise.apply
    y, mean, var = apply(x, weight, bias, bn.eps)  # type: ignore[no-untyped-call]
    count_batch(bn, live)
    running_mean, running_var, momentum = running_statistics(bn)
    with torch.no_grad():
        running_mean[:live].lerp_(mean, momentum)
        running_var[:live].lerp_(var, momentum)
    result: Tensor = y
    return result


class _SharedNormalise(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: _Context, x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        mean, var, positions = _moments(x)
        # This form of batch_norm rounds as the training form does, given the statistics.
        y = functional.batch_norm(x, mean, var, weight, bias, False, 0.0, eps)
        inverse = torch.rsqrt(var + eps)
        scale = inverse if weight is None else inverse * weight
        ctx.save_for_backward(x, scale, mean, inverse, positions)
        unbiased = var * (positions / (positions - 1).clamp_min(1)).to(var.dtype)
        ctx.mark_non_differentiable(mean, unbiased)
        return y, mean, unbiased

    @staticmethod
    def backward(ctx: _Context, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, scale, mean, inverse, positions = ctx.saved_tensors
        grad = grads[0].to(mean.dtype)
        centred = _per_channel(inverse) * (x.to(mean.dtype) - _per_channel(mean))
        own = torch.stack([grad.sum(dim=(0, 2, 3)), (grad * centred).sum(dim=(0, 2, 3))])
        both = own.to(torch.float64, copy=True)
        distributed.all_reduce(both)
        s1, s2 = (both / positions).to(mean.dtype)
        dx = (grad - _per_channel(s1) - centred * _per_channel(s2)) * _per_channel(scale)
        # Gradients of parameters are summed over the processes later, with all the others.
        shift, gain = own if ctx.needs_input_grad[1] else (None, None)
        return dx.to(x.dtype), gain, shift, None


def _moments(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return mean and biased variance, (C,), and the positions, (), of all processes."""
    dtype = torch.float64 if x.dtype == torch.float64 else torch.float32
    var, mean = torch.var_mean(x.to(dtype), dim=(0, 2, 3), correction=0)
    var, mean = var.double(), mean.double()
    count = torch.full_like(mean, x.numel() // x.shape[1])
    # In float64 the square of the mean may be taken off again without harm.
    sums = torch.stack([count, count * mean, count * (var + mean * mean)])
    distributed.all_reduce(sums)
    mean = sums[1] / sums[0]
    var = (sums[2] / sums[0] - mean * mean).clamp_min(0.0)
    return mean.to(dtype), var.to(dtype), sums[0, 0]


def _per_channel(values: Tensor) -> Tensor:
    return values[:, None, None]
