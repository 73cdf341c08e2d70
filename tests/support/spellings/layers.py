"""Whole layers: padding, strides, groups, gates, shortcuts, activations between, order of axes."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from support.spellings.network import Layer, magnitude


class Wrapped(nn.Module):
    """A layer with something done to what it reads, and to what it gives."""

    def __init__(self, channels, before=None, behind=None):
        super().__init__()
        self.layer = Layer(channels)
        self.before, self.behind = before or nn.Identity(), behind or nn.Identity()

    def forward(self, x):
        return self.behind(self.layer(self.before(x)))


def before(make):
    return lambda channels: Wrapped(channels, before=make(channels))


def behind(make):
    return lambda channels: Wrapped(channels, behind=make(channels))


class Own(nn.Module):
    """A layer whose `compute` gets signs of the input and of the weights, (O, C, k, k)."""

    def __init__(self, channels, compute, *, kernel=3, groups=1):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, channels // groups, kernel, kernel) * 0.1)
        self.compute = compute

    def forward(self, x):
        w = torch.sign(self.weight) * magnitude(self.weight)
        return self.compute(torch.sign(x), w)


def own(compute, **options):
    return lambda channels: Own(channels, compute, **options)


def unfolded(x, w):
    n, _, h, width = x.shape
    columns = functional.unfold(x, 3, padding=1)
    return (w.flatten(1) @ columns).view(n, -1, h, width)


def last(x, w):
    """A linear layer over the channels of (N, H, W, C)."""
    return functional.linear(x.permute(0, 2, 3, 1), w.flatten(1)).permute(0, 3, 1, 2)


def einsum(x, w):
    return torch.einsum("nchw,oc->nohw", x, w.flatten(1))


def product(x, w):
    n, c, h, width = x.shape
    return (w.flatten(1) @ x.reshape(n, c, h * width)).reshape(n, -1, h, width)


def in_halves(x, w):
    parts = [functional.conv2d(p, w[:, i * 8 : i * 8 + 8], padding=1)
             for i, p in enumerate(x.chunk(2, 1))]  # fmt: skip
    return parts[0] + parts[1]


def joined_halves(x, w):
    return torch.cat([functional.conv2d(x, p, padding=1) for p in w.chunk(2)], 1)


def shuffled(x):
    n, c, h, w = x.shape
    return x.view(n, 4, c // 4, h, w).transpose(1, 2).reshape(n, c, h, w)


class Scaled(nn.Module):
    """XNOR-Net's K: the mean of |x| over channels, averaged over the window, scales the layer."""

    def __init__(self, channels):
        super().__init__()
        self.layer = Layer(channels)

    def forward(self, x):
        box = torch.full((1, 1, 3, 3), 1 / 9)
        scale = functional.conv2d(x.abs().mean(1, keepdim=True), box, padding=1)
        return self.layer(x) * scale


class Gated(nn.Module):
    """Squeeze and excitation of the input, in some form, scales the layer."""

    def __init__(self, channels, gate):
        super().__init__()
        self.layer, self.gate = Layer(channels), gate
        self.narrow, self.wide = nn.Conv2d(channels, 4, 1), nn.Conv2d(4, channels, 1)

    def forward(self, x):
        s = functional.adaptive_avg_pool2d(x, 1)
        return self.layer(x) * self.gate(self.wide(functional.relu(self.narrow(s))))


def gated(gate):
    return lambda channels: Gated(channels, gate)


class RPReLU(nn.Module):
    """PReLU between two learnable shifts (ReActNet)."""

    def __init__(self, channels):
        super().__init__()
        self.shifts = nn.ParameterList(nn.Parameter(torch.randn(1, channels, 1, 1)) for _ in "ab")
        self.activation = nn.PReLU(channels)

    def forward(self, x):
        return self.activation(x - self.shifts[0]) + self.shifts[1]


class Mobile(nn.Module):
    """A depthwise and a pointwise binary layer."""

    def __init__(self, channels):
        super().__init__()
        self.deep = nn.Parameter(torch.randn(channels, 1, 3, 3))
        self.wide = nn.Parameter(torch.randn(channels, channels, 1, 1))
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = functional.conv2d(
            torch.sign(x), torch.sign(self.deep), padding=1, groups=len(self.deep)
        )
        return functional.conv2d(torch.sign(self.norm(y)), torch.sign(self.wide))


class LayerNorm2d(nn.Module):
    """LayerNorm over channels, in (N, H, W, C)."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x):
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Lambda(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def function(f):
    return lambda channels: Lambda(f)


LAYERS = {
    "zero padding in front": own(lambda x, w: functional.conv2d(functional.pad(x, [1] * 4), w)),
    "padding with +1": own(lambda x, w: functional.conv2d(functional.pad(x, [1] * 4, value=1), w)),
    "padding with -1": own(lambda x, w: functional.conv2d(functional.pad(x, [1] * 4, value=-1), w)),
    "padding of the float with 0": lambda channels: Wrapped(
        channels, before=nn.ZeroPad2d(1), behind=Lambda(lambda y: y[:, :, 1:-1, 1:-1])
    ),
    "reflected padding": own(
        lambda x, w: functional.conv2d(functional.pad(x, [1] * 4, mode="reflect"), w)
    ),
    "circular padding": own(
        lambda x, w: functional.conv2d(functional.pad(x, [1] * 4, mode="circular"), w)
    ),
    "padding='same'": own(lambda x, w: functional.conv2d(x, w, padding="same")),
    "dilated": own(lambda x, w: functional.conv2d(x, w, padding=2, dilation=2)),
    "strided, then upsampled": own(
        lambda x, w: functional.interpolate(
            functional.conv2d(x, w, padding=1, stride=2), scale_factor=2
        )
    ),
    "groups of 4": own(lambda x, w: functional.conv2d(x, w, padding=1, groups=4), groups=4),
    "depthwise and pointwise": Mobile,
    "unfold and matmul": own(unfolded),
    "linear over (N, H, W, C)": own(last, kernel=1),
    "einsum": own(einsum, kernel=1),
    "matmul of a flattened image": own(product, kernel=1),
    "split input": own(in_halves),
    "split output, cat": own(joined_halves),
    "channel shuffle": before(function(shuffled)),
    "nn.ChannelShuffle": before(lambda channels: nn.ChannelShuffle(4)),
    "pixel_unshuffle and shuffle": before(
        function(lambda x: functional.pixel_shuffle(functional.pixel_unshuffle(x, 2), 2))
    ),
    "sign in (N, H, W, C)": lambda channels: Layer(
        channels, lambda x: torch.sign(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
    ),
    "channels_last": before(function(lambda x: x.contiguous(memory_format=torch.channels_last))),
    "BatchNorm in front": before(nn.BatchNorm2d),
    "InstanceNorm in front": before(lambda channels: nn.InstanceNorm2d(channels, affine=True)),
    "GroupNorm in front": before(lambda channels: nn.GroupNorm(4, channels)),
    "LayerNorm in front": before(LayerNorm2d),
    "GroupNorm behind": behind(lambda channels: nn.GroupNorm(4, channels)),
    "PReLU behind": behind(nn.PReLU),
    "RPReLU behind": behind(RPReLU),
    "ReLU behind": behind(lambda channels: nn.ReLU(inplace=True)),
    "Hardtanh behind": behind(lambda channels: nn.Hardtanh(inplace=True)),
    "Tanh behind": behind(lambda channels: nn.Tanh()),
    "Sigmoid behind": behind(lambda channels: nn.Sigmoid()),
    "Hardswish behind": behind(lambda channels: nn.Hardswish()),
    "SiLU behind": behind(lambda channels: nn.SiLU()),
    "GELU behind": behind(lambda channels: nn.GELU()),
    "GELU (tanh) behind": behind(lambda channels: nn.GELU(approximate="tanh")),
    "ELU behind": behind(lambda channels: nn.ELU()),
    "SELU behind": behind(lambda channels: nn.SELU()),
    "CELU behind": behind(lambda channels: nn.CELU()),
    "Softplus behind": behind(lambda channels: nn.Softplus()),
    "Softsign behind": behind(lambda channels: nn.Softsign()),
    "Mish behind": behind(lambda channels: nn.Mish()),
    "LeakyReLU behind": behind(lambda channels: nn.LeakyReLU(0.1)),
    "Dropout behind": behind(lambda channels: nn.Dropout(0.1)),
    "MaxPool behind": behind(lambda channels: nn.MaxPool2d(3, 1, 1)),
    "AvgPool behind": behind(lambda channels: nn.AvgPool2d(3, 1, 1)),
    "x * x behind": behind(function(lambda y: y * y)),
    "XNOR-Net's K": Scaled,
    "a gate of Sigmoid": gated(torch.sigmoid),
    "a gate of Hardsigmoid": gated(functional.hardsigmoid),
    "a gate of Tanh": gated(torch.tanh),
    "a gate of Softmax": gated(lambda s: torch.softmax(s, 1)),
    "a gate of 1 + Tanh": gated(lambda s: 1 + torch.tanh(s)),
    "max of two": behind(function(lambda y: torch.max(y, 0.5 * y.flip(1)))),
    "Maxout (AdaBin)": behind(
        function(lambda y: torch.relu(y) * 0.7 - torch.relu(-y) * 1.3)
    ),
}  # fmt: skip
