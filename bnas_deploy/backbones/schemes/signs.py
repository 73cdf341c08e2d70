"""Signs with the gradients that schemes give them."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from bnas_deploy.nn.quantize import signs

__all__ = ["approx_sign", "clip_sign", "identity_sign", "sign_with_slope"]


class _Context(Protocol):
    saved_tensors: tuple[Tensor, ...]

    def save_for_backward(self, *tensors: Tensor) -> None: ...


class _Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx: _Context, x: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(slope)
        return signs(x)

    @staticmethod
    def backward(ctx: _Context, *grads: Tensor) -> tuple[Tensor, None]:
        (slope,) = ctx.saved_tensors
        return grads[0] * slope, None


def sign_with_slope(x: Tensor, slope: Tensor) -> Tensor:
    """Return sign(x), with sign(0) = +1; backward G * slope, which has the shape of x."""
    y: Tensor = _Sign.apply(x, slope)  # type: ignore[no-untyped-call]
    return y


def approx_sign(x: Tensor) -> Tensor:
    """Return sign(x) with the gradient of a piecewise polynomial: G * max(0, 2 - 2|x|).

    The polynomial is 2x + x² from -1 to 0, 2x - x² from 0 to 1 (Bi-Real Net, "ApproxSign").
    """
    return sign_with_slope(x, (2 - 2 * x.detach().abs()).clamp_min(0))


def clip_sign(x: Tensor) -> Tensor:
    """Return sign(x); backward G * 1[|x| <= 1].

    The bound belongs to it, as latent weights that are clamped to [-1, 1] lie on it.
    """
    return sign_with_slope(x, (x.detach().abs() <= 1).to(x.dtype))


def identity_sign(x: Tensor) -> Tensor:
    """Return sign(x); backward G."""
    return sign_with_slope(x, torch.ones_like(x))
