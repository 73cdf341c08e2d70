"""Binary weights: signs, scales, normalised and transformed latent weights, stored bits."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from support.spellings.network import Layer, magnitude, weighing


def sign_ste(w):
    return (torch.sign(w) - w).detach() + w


def clip_ste(w):
    """As Bi-Real Net and ReActNet have it."""
    scale = torch.mean(torch.mean(torch.mean(abs(w), dim=3, keepdim=True), dim=2, keepdim=True),
                       dim=1, keepdim=True).detach()  # fmt: skip
    signs = scale * torch.sign(w)
    clipped = torch.clamp(w, -1.0, 1.0)
    return signs.detach() - clipped.detach() + clipped


def tanh_ste(w):
    scale = magnitude(w)
    return (scale * torch.sign(w) - torch.tanh(w)).detach() + torch.tanh(w)


def xnor(w):
    """As XNOR-Net-PyTorch has it."""
    w = w.add(w.mean(1, keepdim=True).mul(-1).expand_as(w)).clamp(-1.0, 1.0)
    n = w[0].nelement()
    size = w.norm(1, 3, keepdim=True).sum(2, keepdim=True).sum(1, keepdim=True).div(n)
    return w.sign().mul(size.expand(w.size()))


def standardised(w):
    flat = w.view(w.shape[0], -1)
    flat = (flat - flat.mean(1, keepdim=True)) / (flat.std(1, keepdim=True) + 1e-5)
    return torch.sign(flat).view_as(w) * magnitude(w)


def assigned(w):
    b = w.clone()
    b[b >= 0] = 1
    b[b < 0] = -1
    return b


def power_of_two(w):
    scale = 2 ** torch.round(torch.log2(magnitude(w)))
    return torch.sign(w) * scale


def two_levels(w):
    middle = w.mean((1, 2, 3), keepdim=True)
    spread = w.std((1, 2, 3), keepdim=True)
    return torch.where(w >= middle, middle + spread, middle - spread)


def ternary(w):
    bound = 0.7 * magnitude(w)
    mask = (w.abs() > bound).float()
    return torch.sign(w) * mask * magnitude(w)


def rotated(w):
    """RBNN: bits of a rotated matrix."""
    flat = w.view(w.shape[0], -1)
    a, b = (torch.linalg.qr(torch.randn(n, n, generator=torch.Generator().manual_seed(1)))[0]
            for n in flat.shape)  # fmt: skip
    return torch.sign(a.t() @ flat @ b).view_as(w)


def one_bit(w):
    """DoReFa's weights of one bit."""
    scale = torch.mean(torch.abs(w)).detach()
    y = torch.sign(w / scale) * scale
    return y.detach() - w.detach() + w


def round_of_tanh(w):
    y = torch.tanh(w)
    y = y / (2 * y.abs().max()) + 0.5
    return 2 * torch.round(y) - 1


class Scaled(nn.Module):
    """Signs times a learnable scale in some form."""

    def __init__(self, shape, form=lambda s: s):
        super().__init__()
        self.scale, self.form = nn.Parameter(torch.rand(shape) * 0.2 + 0.1), form

    def forward(self, w):
        return torch.sign(w) * self.form(self.scale)


def scaled(form, *shape):
    def layer(channels):
        return Layer(channels, weight=Scaled([channels if n == -1 else n for n in shape], form))

    return layer


class Stored(nn.Module):
    """A layer whose weights are stored in a buffer that `form` turns into signs."""

    def __init__(self, channels, store, form):
        super().__init__()
        weight = torch.randn(channels, channels, 3, 3)
        self.register_buffer("stored", store(weight))
        self.form, self.shape = form, weight.shape

    def forward(self, x):
        weight = self.form(self.stored).reshape(self.shape)
        return functional.conv2d(torch.sign(x), weight, padding=1)


def stored(store, form):
    return lambda channels: Stored(channels, store, form)


def packed(w):
    """Eight signs a byte."""
    bits = (w.flatten() < 0).view(-1, 8).to(torch.int64)
    return (bits << torch.arange(8)).sum(1).to(torch.uint8)


def unpacked(b):
    bits = (b.to(torch.int64).unsqueeze(1) >> torch.arange(8)) & 1
    return 1.0 - 2.0 * bits.float()


class Pruned(nn.Module):
    """Signs with a mask of zeros."""

    def __init__(self, channels):
        super().__init__()
        self.register_buffer("mask", (torch.rand(channels, channels, 3, 3) > 0.3).float())

    def forward(self, w):
        return torch.sign(w) * self.mask


class Registered(nn.Module):
    """A Conv2d whose weight is a parametrization."""

    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)

        class Sign(nn.Module):
            def forward(self, w):
                return torch.sign(w)

        torch.nn.utils.parametrize.register_parametrization(self.conv, "weight", Sign())

    def forward(self, x):
        return self.conv(torch.sign(x))


class Replaced(nn.Conv2d):
    """BinaryNet.pytorch: latent weights are kept as `weight.org`, `weight.data` becomes signs."""

    def __init__(self, channels):
        super().__init__(channels, channels, 3, padding=1)

    def forward(self, x):
        if not hasattr(self.weight, "org"):
            self.weight.org = self.weight.data.clone()
        self.weight.data = self.weight.org.sign()
        y = functional.conv2d(x.sign(), self.weight, None, self.stride, self.padding)
        return y + self.bias.view(1, -1, 1, 1).expand_as(y)


class Bases(nn.Module):
    """ABC-Net: a sum of layers of signs of shifted weights."""

    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, channels, 3, 3) * 0.1)
        self.alpha = nn.Parameter(torch.rand(3))

    def forward(self, x):
        w = self.weight
        bases = [torch.sign(w - w.mean() + u * w.std()) for u in (-1, 0, 1)]
        x = torch.sign(x)
        return sum(a * functional.conv2d(x, b, padding=1)
                   for a, b in zip(self.alpha, bases, strict=True))  # fmt: skip


WEIGHTS = {name: weighing(weight) for name, weight in {
    "sign(w)": torch.sign,
    "sign(w) * mean(|w|)": lambda w: torch.sign(w) * magnitude(w),
    "sign(w) * mean(|w|) of the layer": lambda w: torch.sign(w) * w.abs().mean(),
    "sign(w) * (|w| summed / n).expand_as": lambda w: torch.sign(w)
    * (w.abs().sum((1, 2, 3), keepdim=True) / w[0].numel()).expand_as(w),
    "sign(w) * L1 norm of rows": lambda w: torch.sign(w)
    * w.flatten(1).norm(1, 1).div(w[0].nelement()).view(-1, 1, 1, 1),
    "sign(w) * L2 norm": lambda w: torch.sign(w)
    * w.flatten(1).norm(dim=1).view(-1, 1, 1, 1) / w[0].numel() ** 0.5,
    "sign(w) * max(|w|)": lambda w: torch.sign(w) * w.abs().amax((1, 2, 3), keepdim=True),
    "sign(w) * std(w)": lambda w: torch.sign(w) * w.std((1, 2, 3), keepdim=True),
    "XNOR-Net: centred, clamped, norm, expand": xnor,
    "where(w >= 0, s, -s)": lambda w: torch.where(w >= 0, magnitude(w), -magnitude(w)),
    "2 * (w > 0).float() - 1": lambda w: 2 * (w > 0).float() - 1,
    "0 and 1: (w > 0).float()": lambda w: (w > 0).float(),
    "b[b >= 0] = 1; b[b < 0] = -1": assigned,
    "(sign(w) - w).detach() + w": sign_ste,
    "(s * sign(w) - clamp(w)).detach() + clamp(w)": clip_ste,
    "(s * sign(w) - tanh(w)).detach() + tanh(w)": tanh_ste,
    "DoReFa: sign(w / E) * E": one_bit,
    "DoReFa: 2 * round(tanh(w) / 2 max + 0.5) - 1": round_of_tanh,
    "standardised": standardised,
    "sign(tanh(w))": lambda w: torch.sign(torch.tanh(w)),
    "w / |w|": lambda w: w / w.abs(),
    "normalize(w) then sign": lambda w: torch.sign(functional.normalize(w, dim=1)),
    "s a power of two": power_of_two,
    "two levels a channel": two_levels,
    "rotated by matrices": rotated,
    "ternary": ternary,
    "sign(w.half()).float()": lambda w: torch.sign(w.half()).float(),
    "round(clamp(w, -1, 1) / 2 + 0.5) * 2 - 1": lambda w: torch.round(
        w.clamp(-1, 1) / 2 + 0.5
    ) * 2 - 1,
}.items()} | {
    "learnable scale of a layer": scaled(lambda s: s, 1),
    "learnable scale of a channel": scaled(lambda s: s, -1, 1, 1, 1),
    "learnable scale, exp": scaled(torch.exp, -1, 1, 1, 1),
    "learnable scale, softplus": scaled(functional.softplus, -1, 1, 1, 1),
    "learnable scale, |s| clamped": scaled(lambda s: s.abs().clamp(min=1e-4), -1, 1, 1, 1),
    "pruned by a mask": lambda channels: Layer(channels, weight=Pruned(channels)),
    "a parametrization": Registered,
    "weight.data = weight.org.sign()": Replaced,
    "stored as int8": stored(lambda w: torch.sign(w).to(torch.int8), lambda b: b.float()),
    "stored as bool": stored(lambda w: w >= 0, lambda b: torch.where(b, 1.0, -1.0)),
    "stored as half": stored(lambda w: torch.sign(w).half(), lambda b: b.float()),
    "stored as packed bits": stored(packed, unpacked),
    "a sum of three bases": Bases,
}  # fmt: skip
