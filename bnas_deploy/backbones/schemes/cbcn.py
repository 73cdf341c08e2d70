"""CBCN: every learned kernel stands for its rotations, by 0, 90, 180 and 270 degrees.

Channels come in R orientations, laid out block by block. The filters of orientation r read the
inputs of orientation s with the learned kernel (s - r) mod R, rotated r times. So a layer has an
R-th of the weights; at inference it is a binary convolution like any other. R is 4, or less where
the channels cannot be shared out so. Groups lie within an orientation and read nothing of another:
there s = r, so that all are the kernels of the first orientation, rotated r times.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from bnas_deploy.backbones.schemes.base import (
    Branch,
    Geometry,
    SchemeConv2d,
    filter_magnitude,
    signs_with_magnitude,
)
from bnas_deploy.backbones.schemes.signs import approx_sign
from bnas_deploy.nn.quantize import signs

__all__ = ["CirculantConv2d"]

ORIENTATIONS = 4


class CirculantConv2d(SchemeConv2d):
    """Convolves with circulant binary kernels; `weight` is (O / R, I / G, kh, kw).

    Attributes:
        orientations: R.
    """

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(geometry)
        shared = math.gcd(geometry.inputs, geometry.outputs)
        self.orientations = math.gcd(
            ORIENTATIONS, geometry.groups if geometry.groups > 1 else shared
        )
        self.weight = nn.Parameter(self.weight.detach()[:: self.orientations].clone())

    def activations(self, x: Tensor) -> Tensor:
        """Return sign(x) with the gradient of a piecewise polynomial, as in Bi-Real Net."""
        return approx_sign(x)

    def kernel(self) -> Tensor:
        """Return sign(W) * mean|W| of all orientations; gradients add up over them."""
        return self._rotated(signs_with_magnitude(self.weight))

    def real_kernel(self) -> Tensor:
        """Return the rotated latent weights."""
        return self._rotated(self.weight)

    def branches(self) -> tuple[Branch, ...]:
        """One: the rotated signs, and mean|W| of the filter that each was rotated from."""
        scale = filter_magnitude(self.weight).repeat(self.orientations)
        return (Branch(None, ((self._rotated(signs(self.weight)), scale),)),)

    def _rotated(self, weight: Tensor) -> Tensor:
        """Return (O, I / G, kh, kw) from (O / R, I / G, kh, kw)."""
        block = weight.shape[1] // self.orientations if self.groups == 1 else 0
        return torch.cat(
            [
                torch.rot90(weight.roll(turns * block, dims=1), turns, (2, 3))
                for turns in range(self.orientations)
            ]
        )
