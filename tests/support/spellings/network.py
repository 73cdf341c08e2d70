"""A small network with two layers of one spelling, and the parts that spelt layers are made of."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


def magnitude(w):
    """Mean of |w| for each output channel, (O, 1, 1, 1)."""
    return w.abs().mean((1, 2, 3), keepdim=True)


class Layer(nn.Module):
    """A 3x3 layer; `activation` and `weight` are functions or modules that binarize."""

    def __init__(self, channels, activation=torch.sign, weight=None):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, channels, 3, 3) * 0.1)
        self.activation = activation
        self.binarized = weight or (lambda w: torch.sign(w) * magnitude(w))

    def forward(self, x):
        return functional.conv2d(self.activation(x), self.binarized(self.weight), padding=1)


def reading(activation):
    """Layers that read what a function makes of their input."""
    return lambda channels: Layer(channels, activation)


def weighing(weight):
    """Layers whose weights a function binarizes."""
    return lambda channels: Layer(channels, weight=weight)


class Network(nn.Module):
    """A float stem without bias, so that black pixels are zeros, two spelt layers, a classifier."""

    def __init__(self, layer, channels=16):
        super().__init__()
        self.stem = nn.Conv2d(3, channels, 3, padding=1, bias=False)
        self.layers = nn.ModuleList(layer(channels) for _ in range(2))
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for _ in range(2))
        self.classifier = nn.Linear(channels, 10)

    def forward(self, x):
        x = self.stem(x)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = norm(layer(x)) + x
        return self.classifier(x.mean((2, 3)))


def network(layer):
    """A network of layers in evaluation mode, its BatchNorms as after training."""
    torch.manual_seed(0)
    model = Network(layer)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1, 0.3)
            nn.init.normal_(module.bias, 0, 0.3)
            nn.init.normal_(module.running_mean, 0, 0.3)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return model.eval()
