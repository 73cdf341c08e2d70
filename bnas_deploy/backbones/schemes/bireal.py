"""Bi-Real Net: a closer gradient of the sign, and weights scaled by their magnitude.

Its skip around every convolution belongs to the backbones `bireal18` and `bireal34`.
"""

from __future__ import annotations

from torch import Tensor

from bnas_deploy.backbones.schemes.base import (
    Branch,
    SchemeConv2d,
    filter_magnitude,
    signs_with_magnitude,
)
from bnas_deploy.backbones.schemes.signs import approx_sign
from bnas_deploy.nn.quantize import signs

__all__ = ["BirealConv2d"]


class BirealConv2d(SchemeConv2d):
    """Convolves with sign(W) times the mean of |W| of each filter, which counts as a constant."""

    def activations(self, x: Tensor) -> Tensor:
        """Return sign(x) with the gradient of a piecewise polynomial."""
        return approx_sign(x)

    def kernel(self) -> Tensor:
        """Return sign(W) * mean|W|, with its gradient."""
        return signs_with_magnitude(self.weight)

    def branches(self) -> tuple[Branch, ...]:
        """One: sign(W), mean|W|."""
        return (Branch(None, ((signs(self.weight), filter_magnitude(self.weight)),)),)
