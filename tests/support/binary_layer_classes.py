"""Binary layers of ten papers as people write them in PyTorch, from the papers' formulas."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class SignFunction(torch.autograd.Function):
    """sign(x) with the gradient of a clip (BinaryNet, equation 4)."""

    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return torch.sign(x)

    @staticmethod
    def backward(context, gradient):
        (x,) = context.saved_tensors
        return gradient * (x.abs() <= 1)


def identity_ste(x):
    return x + (torch.sign(x) - x).detach()


def clip_ste(x):
    f = torch.clamp(x, -1, 1)
    return (torch.sign(x) - f).detach() + f


def polynomial_ste(x):
    """Bi-Real Net's ApproxSign: 2x + x^2 below zero, 2x - x^2 above, +-1 beyond +-1."""
    f = torch.where(x < 0, 2 * x + x * x, 2 * x - x * x)
    f = torch.where(x < -1, -torch.ones_like(x), torch.where(x > 1, torch.ones_like(x), f))
    return torch.sign(x).detach() - f.detach() + f


def masked_polynomial_ste(x):
    """The same with masks."""
    below, negative, inside = ((x < t).float() for t in (-1, 0, 1))
    f = -below + (x * x + 2 * x) * (1 - below)
    f = f * negative + (2 * x - x * x) * (1 - negative)
    f = f * inside + (1 - inside)
    return torch.sign(x).detach() - f.detach() + f


def magnitude(w):
    return w.abs().mean((1, 2, 3), keepdim=True)


class BinaryConv(nn.Module):
    """A 3x3 layer of binarized weights; `sign` binarizes what it reads."""

    def __init__(self, channels, sign=SignFunction.apply):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, channels, 3, 3) * 0.1)
        self.sign = sign

    def binary(self):
        return SignFunction.apply(self.weight)

    def forward(self, x):
        return functional.conv2d(self.sign(x), self.binary(), padding=1)


class BinaryNetConv(BinaryConv):
    """Signs of both (Hubara et al.), behind a HardTanh."""

    def forward(self, x):
        return super().forward(functional.hardtanh(x))


class AssignedConv(BinaryConv):
    """Assigns signs to `data`: what it reads and its weights, of which it keeps the real ones."""

    def forward(self, x):
        x.data = x.data.sign()
        if not hasattr(self.weight, "real"):
            self.weight.real = self.weight.data.clone()
        self.weight.data = self.weight.real.sign()
        return functional.conv2d(x, self.weight, padding=1)


class XnorConv(BinaryConv):
    """alpha * sign(W) with alpha = mean |W|, of centred and clipped weights (Rastegari et al.)."""

    def binary(self):
        w = (self.weight - self.weight.mean(1, keepdim=True)).clamp(-1, 1)
        return SignFunction.apply(w) * magnitude(w)


class BiRealConv(BinaryConv):
    """alpha * sign(W) with the gradient of a clip (Liu et al. 2018)."""

    def __init__(self, channels):
        super().__init__(channels, masked_polynomial_ste)

    def binary(self):
        signs = (magnitude(self.weight) * torch.sign(self.weight)).detach()
        clipped = torch.clamp(self.weight, -1.0, 1.0)
        return signs.detach() - clipped.detach() + clipped


class ReActConv(BiRealConv):
    """RSign in front, RPReLU behind (Liu et al. 2020)."""

    def __init__(self, channels):
        super().__init__(channels)
        shape = (1, channels, 1, 1)
        self.shifts = nn.ParameterList(nn.Parameter(torch.randn(shape) * 0.1) for _ in range(3))
        self.activation = nn.PReLU(channels)

    def forward(self, x):
        y = super().forward(x + self.shifts[0].expand_as(x))
        return self.activation(y + self.shifts[1].expand_as(y)) + self.shifts[2].expand_as(y)


class IrConv(BinaryConv):
    """sign of balanced and standardised weights times a power of two (Qin et al., IR-Net)."""

    def binary(self):
        w = self.weight - self.weight.flatten(1).mean(-1).view(-1, 1, 1, 1)
        w = w / w.flatten(1).std(-1).view(-1, 1, 1, 1)
        power = torch.log(w.abs().flatten(1).mean(-1)) / torch.log(torch.tensor(2.0))
        scale = torch.pow(2.0, power.round()).view(-1, 1, 1, 1)
        return SignFunction.apply(w) * scale.detach()


class ReCuConv(BinaryConv):
    """alpha * sign of standardised weights, rectified at a quantile (Xu et al., ReCU)."""

    def binary(self):
        w = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        w = w / (torch.sqrt(w.var((1, 2, 3), keepdim=True) + 1e-5) / 2 / 2**0.5)
        bound = -magnitude(w) * torch.log(torch.tensor(2 - 2 * 0.85))
        w = torch.max(torch.min(w, bound), -bound)
        return SignFunction.apply(w) * magnitude(w)


class AdaBinConv(BinaryConv):
    """Levels alpha * sign((w - beta) / alpha) + beta, and a Maxout (Tu et al., AdaBin)."""

    def __init__(self, channels):
        super().__init__(channels)
        self.alpha, self.beta = (nn.Parameter(torch.tensor(x)) for x in (0.8, 0.15))
        shape = (1, channels, 1, 1)
        self.slopes = nn.ParameterList(nn.Parameter(torch.rand(shape) + 0.5) for _ in range(2))

    def binary(self):
        w = self.weight
        beta = w.mean((1, 2, 3), keepdim=True)
        alpha = torch.sqrt(((w - beta) ** 2).sum((1, 2, 3), keepdim=True) / w[0].numel())
        return SignFunction.apply((w - beta) / alpha) * alpha + beta

    def forward(self, x):
        read = SignFunction.apply((x - self.beta) / self.alpha) * self.alpha + self.beta
        y = functional.conv2d(read, self.binary(), padding=1)
        return self.slopes[0] * functional.relu(y) - self.slopes[1] * functional.relu(-y)


class RealToBinaryConv(BinaryConv):
    """Scaled by what a gate makes of the input (Martinez et al., equation 4)."""

    def __init__(self, channels):
        super().__init__(channels, clip_ste)
        self.gate = nn.Sequential(
            nn.Linear(channels, channels // 4), nn.ReLU(), nn.Linear(channels // 4, channels)
        )

    def forward(self, x):
        scale = torch.sigmoid(self.gate(x.mean((2, 3))))
        return super().forward(x) * scale[:, :, None, None]


LAYERS = {
    "BinaryNet": BinaryNetConv,
    "XNOR-Net": XnorConv,
    "Bi-Real Net": BiRealConv,
    "ReActNet": ReActConv,
    "IR-Net": IrConv,
    "ReCU": ReCuConv,
    "AdaBin": AdaBinConv,
    "real-to-binary": RealToBinaryConv,
    "identity STE": lambda channels: BinaryConv(channels, identity_ste),
    "clip STE": lambda channels: BinaryConv(channels, clip_ste),
    "polynomial STE": lambda channels: BinaryConv(channels, polynomial_ste),
}


class Network(nn.Module):
    """A float stem, two binary blocks with a shortcut each, and a float classifier."""

    def __init__(self, layer, channels=16):
        super().__init__()
        self.stem, self.first = (
            nn.Conv2d(3, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.layers = nn.ModuleList(layer(channels) for _ in range(2))
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for _ in range(2))
        self.classifier = nn.Linear(channels, 10)

    def forward(self, x):
        x = self.first(self.stem(x))
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = norm(layer(x)) + x
        return self.classifier(x.mean((2, 3)))


def network(name):
    """A network of one of `LAYERS` in evaluation mode, its BatchNorms as after training."""
    torch.manual_seed(0)
    model = Network(LAYERS[name])
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1, 0.3)
            nn.init.normal_(module.bias, 0, 0.3)
            nn.init.normal_(module.running_mean, 0, 0.3)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return model.eval()
