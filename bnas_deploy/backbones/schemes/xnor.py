"""XNOR-Net without K: sign(W) times the mean of |W| of each filter, as in the paper's Eq. 3."""

from __future__ import annotations

from torch import Tensor

from bnas_deploy.backbones.schemes.base import Branch, Geometry, SchemeConv2d
from bnas_deploy.nn.layers import BinaryConv2d
from bnas_deploy.nn.quantize import binarize_weight

__all__ = ["XnorConv2d"]


class XnorConv2d(SchemeConv2d, BinaryConv2d):
    """The binary convolution of BNAS, centred and clamped latent weights included.

    Groups of one input channel are not centred: each weight would be its own mean, so all zero.
    """

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(geometry)
        self.centred = geometry.inputs > geometry.groups

    def kernel(self) -> Tensor:
        """Return sign(W) * beta; see `BinaryConv2d`."""
        return self.effective_weight()

    def real_kernel(self) -> Tensor:
        """Return W, centred and clamped; see `BinaryConv2d`."""
        return self.effective_weight()

    def branches(self) -> tuple[Branch, ...]:
        """One: sign(W), beta."""
        return (Branch(None, (binarize_weight(self.weight, centred=self.centred),)),)
