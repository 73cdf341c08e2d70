"""PCNN: kernels projected onto two values by learned matrices, one for each base.

A latent weight W is multiplied, tap by tap, with J projection matrices (kh, kw), which all channels
share, and each product P_j is projected onto {-a_j, +a_j}, a_j the mean of |P_j| of a filter. At
inference that is J binary convolutions whose sum is taken; published networks use one.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bnas_deploy.backbones.schemes.base import Branch, Geometry, SchemeConv2d, filter_magnitude
from bnas_deploy.backbones.schemes.signs import identity_sign
from bnas_deploy.nn.quantize import signs

__all__ = ["ProjectedConv2d"]


class ProjectedConv2d(SchemeConv2d):
    """Convolves with projected kernels.

    Attributes:
        projections: (J, kh, kw); the first begins as ones, the others vary in sign.
    """

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(geometry)
        start = torch.ones(geometry.bases, geometry.kernel, geometry.kernel)
        if geometry.bases > 1:
            nn.init.normal_(start[1:])
        self.projections = nn.Parameter(start)

    def kernel(self) -> Tensor:
        """Return the sum of sign(P_j) * a_j; backward G * a_j to P_j, and so to both factors."""
        kernels = [
            identity_sign(p) * filter_magnitude(p)[:, None, None, None] for p in self._projected()
        ]
        return sum(kernels[1:], kernels[0])

    def branches(self) -> tuple[Branch, ...]:
        """One, with a kernel for each projection."""
        return (Branch(None, tuple((signs(p), filter_magnitude(p)) for p in self._projected())),)

    def _projected(self) -> list[Tensor]:
        return [self.weight * projection for projection in self.projections]
