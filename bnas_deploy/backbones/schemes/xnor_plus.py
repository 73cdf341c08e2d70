"""XNOR-Net++: sign(W), and learned scales for channels, rows and columns: alpha x beta x gamma."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bnas_deploy.backbones.schemes.base import Branch, Geometry, SchemeConv2d, filter_magnitude
from bnas_deploy.backbones.schemes.signs import clip_sign
from bnas_deploy.nn.quantize import signs

__all__ = ["ScaledConv2d"]


class ScaledConv2d(SchemeConv2d):
    """Convolves with sign(W) and multiplies by alpha[o] * beta[y] * gamma[x].

    Attributes:
        channels: alpha, (O,); begins as mean|W|.
        rows: beta, (H',); begins as ones.
        columns: gamma, (W',); begins as ones.
    """

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(geometry)
        self.channels = nn.Parameter(filter_magnitude(self.weight))
        self.rows = nn.Parameter(torch.ones(geometry.side))
        self.columns = nn.Parameter(torch.ones(geometry.side))

    def kernel(self) -> Tensor:
        """Return sign(W) * alpha; backward alpha * G * 1[|W| <= 1] to W."""
        return clip_sign(self.weight) * self.channels[:, None, None, None]

    def pixel_factors(self) -> Tensor:
        """Return beta x gamma, (H', W')."""
        return self.rows[:, None] * self.columns

    def branches(self) -> tuple[Branch, ...]:
        """One: sign(W), alpha."""
        return (Branch(None, ((signs(self.weight), self.channels),)),)
