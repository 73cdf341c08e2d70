"""ABC-Net: several weight bases times several shifted activations, combined linearly.

M weight bases B_m = sign(W - mean(W) + u_m std(W)), u_m spread evenly over -1 to 1 (0 if there is
one), with the factors alpha_m of the least squares fit of W; N activations
A_n = sign(R + v_n - 0.5), with learned shifts v_n and factors beta_n. Here M = N, and mean, std and
alpha are those of the whole layer. At inference the sum over m and n of
alpha_m beta_n conv(A_n, B_m): M * N binary convolutions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bnas_deploy.backbones.schemes.base import Branch, Geometry, SchemeConv2d
from bnas_deploy.backbones.schemes.signs import identity_sign, sign_with_slope
from bnas_deploy.nn.quantize import signs

__all__ = ["AbcConv2d"]

RIDGE = 1e-6
"""Keeps the fit defined where two bases are the same."""


class AbcConv2d(SchemeConv2d):
    """A convolution of shifted activations with weight bases.

    Attributes:
        shift: v, (N,).
        factor: beta, (N,).
    """

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(geometry)
        bases = geometry.bases
        self.shift = nn.Parameter(0.5 + _spread(bases))
        self.factor = nn.Parameter(torch.full((bases,), 1 / bases))

    def activations(self, x: Tensor) -> Tensor:
        """Return the sum of beta_n A_n; the gradient of A_n is 1[0 <= R + v_n <= 1]."""
        total = torch.zeros_like(x)
        for shift, factor in zip(self.shift, self.factor, strict=True):
            moved = x + (shift - 0.5)
            slope = (moved.detach().abs() <= 0.5).to(x.dtype)
            total = total + factor * sign_with_slope(moved, slope)
        return total

    def kernel(self) -> Tensor:
        """Return the sum of alpha_m B_m; backward G alpha_m through each, alpha no variable."""
        latents = self._latents(self.weight)
        alphas = self._alphas([signs(latent) for latent in latents])
        bases = [identity_sign(latent) for latent in latents]
        return torch.stack([a * b for a, b in zip(alphas, bases, strict=True)]).sum(0)

    def branches(self) -> tuple[Branch, ...]:
        """One for each shift, with a kernel for each weight basis."""
        bases = [signs(latent) for latent in self._latents(self.weight)]
        alphas = self._alphas(bases)
        ones = self.weight.new_ones(self.out_channels)
        channels = self.weight.new_ones(self.in_channels)
        return tuple(
            Branch(
                (shift - 0.5) * channels,
                tuple((b, factor * a * ones) for a, b in zip(alphas, bases, strict=True)),
            )
            for shift, factor in zip(self.shift, self.factor, strict=True)
        )

    def _latents(self, weight: Tensor) -> list[Tensor]:
        mean, std = weight.detach().mean(), weight.detach().std(correction=0)
        return [weight - mean + u * std for u in _spread(len(self.shift)).to(weight)]

    @torch.no_grad()
    def _alphas(self, bases: list[Tensor]) -> Tensor:
        """Least squares fit of W, (M,).

        Training has the factors that inference has, so autocast must not round them.
        """
        with torch.autocast(self.weight.device.type, enabled=False):
            columns = torch.stack([b.flatten() for b in bases]).to(self.weight)  # (M, O*I*kh*kw)
            n = columns.shape[1]
            gram = columns @ columns.T / n + RIDGE * torch.eye(len(bases)).to(columns)
            fit: Tensor = torch.linalg.solve(gram, columns @ self.weight.flatten() / n)
        return fit


def _spread(count: int) -> Tensor:
    return torch.linspace(-1, 1, count) if count > 1 else torch.zeros(1)
