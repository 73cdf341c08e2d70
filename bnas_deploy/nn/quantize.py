"""Binarization: signs of activations and weights, with their gradients.

Shapes: O output channels, I input channels, kh kw the kernel.

What a stored latent weight means: with c = centre, then clamp (`constrain_weight`), a network of
stored weights V computes with sign(c(V)) * mean|c(V)|, always. A training step replaces V by c(V),
computes with it, and the optimizer moves it; evaluation and exporters compute c(V) and leave V
alone. So evaluation after a step computes exactly what the next training step would begin with.
Where the clamp acts c is not idempotent: c(c(V)) may differ from c(V), as a clamped filter is no
longer centred. Hence c is applied once for each use and never stored by anything but training. The
release applies it in place before every batch, in evaluation too; its first batch is our result.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

__all__ = [
    "binarize_weight",
    "binary_weight",
    "constrain_weight",
    "signs",
    "ste_sign",
    "weight_gradient",
]


class _Context(Protocol):
    saved_tensors: tuple[Tensor, ...]

    def save_for_backward(self, *tensors: Tensor) -> None: ...


class _WeightContext(_Context, Protocol):
    centred: bool


class _SteSign(torch.autograd.Function):
    @staticmethod
    def forward(ctx: _Context, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return signs(x)

    @staticmethod
    def backward(ctx: _Context, *grads: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grads[0] * (x.abs() < 1)


class _BinaryWeight(torch.autograd.Function):
    @staticmethod
    def forward(ctx: _WeightContext, latent: Tensor, centred: bool) -> Tensor:
        sign, beta = _sign_and_scale(latent)
        ctx.save_for_backward(latent, beta)
        ctx.centred = centred
        return sign * _per_filter(beta)

    @staticmethod
    def backward(ctx: _WeightContext, *grads: Tensor) -> tuple[Tensor, None]:
        latent, beta = ctx.saved_tensors
        return weight_gradient(latent, beta, grads[0], centred=ctx.centred), None


def signs(x: Tensor) -> Tensor:
    """Return -1 where `x` is negative and +1 elsewhere, zero included, in the dtype of `x`."""
    # Adding zero turns -0.0 into +0.0; copysign is many times faster than where on a CPU.
    return torch.copysign(x.new_ones(()), x + 0.0)


def ste_sign(x: Tensor) -> Tensor:
    """Binarize activations: forward sign(x) with sign(0) = +1, backward G * 1[|x| < 1].

    The straight-through estimator of XNOR-Net, as the paper uses it (Section 3).
    """
    y: Tensor = _SteSign.apply(x)  # type: ignore[no-untyped-call]
    return y


def constrain_weight(latent: Tensor, *, centred: bool = True) -> Tensor:
    """Return the latent weight (O, I, kh, kw) centred over I, then clamped to [-1, 1].

    Args:
        latent: (O, I, kh, kw).
        centred: False only clamps: a depthwise filter, with I = 1, is its own mean over I.
    """
    mean = latent.mean(dim=1, keepdim=True) if centred else 0.0
    return (latent - mean).clamp_(-1.0, 1.0)


def binarize_weight(latent: Tensor, *, centred: bool = True) -> tuple[Tensor, Tensor]:
    """Binarize a latent weight; training, evaluation and every exporter use this very function.

    With W the constrained latent: sign(W), and beta = mean of |W| over (I, kh, kw) (paper, Eq. 3).

    Args:
        latent: (O, I, kh, kw), constrained or not.
        centred: As for `constrain_weight`.

    Returns:
        The signs, (O, I, kh, kw) of -1 and +1, and beta, (O,).
    """
    return _sign_and_scale(constrain_weight(latent, centred=centred))


def binary_weight(constrained: Tensor, *, centred: bool = True) -> Tensor:
    """Return sign(W) * beta of a constrained latent weight W, with the gradient below.

    Backward: `weight_gradient`.
    """
    weight: Tensor = _BinaryWeight.apply(constrained, centred)  # type: ignore[no-untyped-call]
    return weight


def weight_gradient(latent: Tensor, beta: Tensor, grad: Tensor, *, centred: bool = True) -> Tensor:
    """Return the release's gradient of a constrained latent weight W.

    (beta * G * 1[|W| <= 1] + sign(W) * mean(sign(W) * G)) * (1 - 1/I) * n, with n = I * kh * kw and
    the mean over (I, kh, kw). The factor 1 - 1/I comes from the centring and is left out with it.

    Args:
        latent: W, (O, I, kh, kw).
        beta: (O,).
        grad: G, the gradient of sign(W) * beta, (O, I, kh, kw).
        centred: As for `constrain_weight`.

    Returns:
        (O, I, kh, kw).
    """
    sign = signs(latent)
    inputs, n = latent.shape[1], latent[0].numel()
    through_sign = _per_filter(beta) * grad * (latent.abs() <= 1)
    through_beta = sign * (sign * grad).mean(dim=(1, 2, 3), keepdim=True)
    share = 1 - 1 / inputs if centred else 1.0
    return (through_sign + through_beta) * (share * n)


def _sign_and_scale(constrained: Tensor) -> tuple[Tensor, Tensor]:
    return signs(constrained), constrained.abs().mean(dim=(1, 2, 3))


def _per_filter(beta: Tensor) -> Tensor:
    return beta[:, None, None, None]
