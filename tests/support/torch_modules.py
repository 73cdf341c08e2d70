"""Small modules of PyTorch for the tests: a function as a module, and parts between two layers."""

from __future__ import annotations

import torch
from torch import nn


class Does(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def chain(*parts, channels=8):
    """A float stem of 8 channels, some parts, and a float classifier of so many channels."""
    torch.manual_seed(0)
    stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8))
    nn.init.normal_(stem[1].bias)
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 5))
    return nn.Sequential(stem, *parts, head).eval()


def binary(channels=8, outputs=8, **options):
    """A convolution of weights of one magnitude."""
    layer = nn.Conv2d(channels, outputs, 3, bias=False, **options)
    layer.weight.data = layer.weight.data.sign()
    return layer
