"""BinaryDuo in its inference form: two binary activations per channel, each with a threshold.

BinaryDuo trains ternary activations first, and then decouples each into two binary ones, which
doubles the inputs of a convolution (published networks have fewer channels in return). Here the
decoupled network is trained from the start, with learned thresholds. Its activations are -1 and +1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bnas_deploy.backbones.schemes.base import (
    Branch,
    Geometry,
    SchemeConv2d,
    filter_magnitude,
    signs_with_magnitude,
)
from bnas_deploy.nn.quantize import signs, ste_sign

__all__ = ["DuoConv2d"]

THRESHOLDS = (-0.5, 0.5)
"""Where they begin, behind a BatchNorm."""


class DuoConv2d(SchemeConv2d):
    """Convolves two binarizations of its input; `weight` is (O, 2 I / G, kh, kw).

    Within a group the first half of the weights reads the first binarization.

    Attributes:
        shifts: (2, I), added before the signs: the thresholds with the other sign.
    """

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(geometry)
        self.weight = nn.Parameter(torch.cat([self.weight.detach()] * 2, dim=1))
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)
        start = torch.tensor(THRESHOLDS)[:, None].expand(2, geometry.inputs)
        self.shifts = nn.Parameter(-start.clone())

    def activations(self, x: Tensor) -> Tensor:
        """Return both binarizations, (N, 2 I, H, W), group by group."""
        halves = [ste_sign(x + shift[:, None, None]) for shift in self.shifts]
        n, _, h, w = x.shape
        parts = [half.view(n, self.groups, -1, h, w) for half in halves]
        return torch.cat(parts, dim=2).view(n, -1, h, w)

    def kernel(self) -> Tensor:
        """Return sign(W) * mean|W|, with its gradient."""
        return signs_with_magnitude(self.weight)

    def branches(self) -> tuple[Branch, ...]:
        """Two, one for each binarization with its half of the weights."""
        halves = signs(self.weight).chunk(2, dim=1)
        scale = filter_magnitude(self.weight)
        pairs = zip(self.shifts, halves, strict=True)
        return tuple(Branch(shift, ((half, scale),)) for shift, half in pairs)
