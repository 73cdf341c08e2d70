"""BinaryNet: signs of weights and activations, without a scale."""

from __future__ import annotations

import torch
from torch import Tensor

from bnas_deploy.backbones.schemes.base import Branch, SchemeConv2d
from bnas_deploy.backbones.schemes.signs import clip_sign
from bnas_deploy.nn.quantize import signs

__all__ = ["SignConv2d"]


class SignConv2d(SchemeConv2d):
    """Convolves with sign(W); in training mode W is clamped to [-1, 1] before each pass."""

    def kernel(self) -> Tensor:
        """Return sign(W); backward G * 1[|W| <= 1]."""
        if self.training:
            with torch.no_grad():
                self.weight.clamp_(-1, 1)
        return clip_sign(self.weight)

    def branches(self) -> tuple[Branch, ...]:
        """One: sign(W), 1."""
        ones = self.weight.new_ones(self.out_channels)
        return (Branch(None, ((signs(self.weight), ones),)),)
