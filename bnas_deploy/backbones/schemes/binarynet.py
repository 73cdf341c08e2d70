"""BinaryNet: signs of weights and activations, without a scale."""

from __future__ import annotations

import torch
from torch import Tensor

from bnas_deploy.backbones.schemes.base import Branch, SchemeConv2d
from bnas_deploy.backbones.schemes.signs import sign_with_slope
from bnas_deploy.nn.quantize import signs

__all__ = ["SignConv2d"]


class SignConv2d(SchemeConv2d):
    """Convolves with sign(W); in training mode W is clamped to [-1, 1] before each pass."""

    @property
    def rate(self) -> float:
        """By how much the latent weights learn faster: (fan in + fan out) / 1.5.

        A gradient with respect to weights of magnitude 1 is small beside latent weights of the
        usual initialisation. BinaryConnect, which BinaryNet follows, scales their learning rate
        with the square of that initialisation's coefficient for SGD.
        """
        taps = self.weight[0, 0].numel()
        inputs, outputs = self.weight.shape[1], self.weight.shape[0] // self.groups
        return (inputs + outputs) * taps / 1.5

    def kernel(self) -> Tensor:
        """Return sign(W); backward rate * G * 1[|W| <= 1]."""
        if self.training:
            with torch.no_grad():
                self.weight.clamp_(-1, 1)
        inside = self.weight.detach().abs() <= 1
        return sign_with_slope(self.weight, inside * self.rate)

    def branches(self) -> tuple[Branch, ...]:
        """One: sign(W), 1."""
        ones = self.weight.new_ones(self.out_channels)
        return (Branch(None, ((signs(self.weight), ones),)),)
