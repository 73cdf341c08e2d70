"""BONN in its inference form: sign(W) times a learned scale of each filter.

BONN finds latent weights and scales with Bayesian losses on kernels and features. Here the scale is
an ordinary parameter that is trained with everything else.
"""

from __future__ import annotations

from torch import Tensor, nn

from bnas_deploy.backbones.schemes.base import Branch, Geometry, SchemeConv2d, filter_magnitude
from bnas_deploy.backbones.schemes.signs import approx_sign, clip_sign
from bnas_deploy.nn.quantize import signs

__all__ = ["LearnedScaleConv2d"]


class LearnedScaleConv2d(SchemeConv2d):
    """Convolves with sign(W) times a learned scale.

    Attributes:
        scale: (O,); begins as mean|W|.
    """

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(geometry)
        self.scale = nn.Parameter(filter_magnitude(self.weight))

    def activations(self, x: Tensor) -> Tensor:
        """Return sign(x) with the gradient of a piecewise polynomial, as in Bi-Real Net."""
        return approx_sign(x)

    def kernel(self) -> Tensor:
        """Return sign(W) * scale; backward scale * G * 1[|W| <= 1] to W."""
        return clip_sign(self.weight) * self.scale[:, None, None, None]

    def branches(self) -> tuple[Branch, ...]:
        """One: sign(W), the scale."""
        return (Branch(None, ((signs(self.weight), self.scale),)),)
