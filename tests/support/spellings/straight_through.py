"""Straight-through estimators: arithmetic that is a sign forwards and something else backwards."""

from __future__ import annotations

import math

import torch
from torch.nn import functional

from support.spellings.network import reading


def surrogate(f):
    """(sign(x) - f(x)).detach() + f(x)."""

    def activation(x):
        y = f(x)
        return (torch.sign(x) - y).detach() + y

    return reading(activation)


def ramp(x):
    """The polynomial of Bi-Real Net by choices."""
    y = torch.where(x < 0, 2 * x + x * x, 2 * x - x * x)
    return torch.where(x < -1, -torch.ones_like(x), torch.where(x > 1, torch.ones_like(x), y))


def masked_ramp(x):
    """The same by masks, as its authors and ReActNet's have it."""
    masks = [x < -1, x < 0, x < 1]
    y = (-1) * masks[0].type(torch.float32) + (x * x + 2 * x) * (1 - masks[0].type(torch.float32))
    y = y * masks[1].type(torch.float32) + (-x * x + 2 * x) * (1 - masks[1].type(torch.float32))
    return y * masks[2].type(torch.float32) + 1 * (1 - masks[2].type(torch.float32))


def assigned_ramp(x):
    """The same assigned in place."""
    y = x.clone()
    y = torch.where((x >= -1) & (x < 0), 2 * x + x.pow(2), y)
    y = torch.where((x >= 0) & (x < 1), 2 * x - x.pow(2), y)
    return y.clamp(-1, 1)


def error_decay(x):
    """IR-Net's k * tanh(t * x)."""
    t = torch.tensor([0.5])
    k = torch.max(1 / t, torch.ones(1))
    return k * torch.tanh(t * x)


def swish_sign(x, beta=5.0):
    """SignSwish of BNN+."""
    s = torch.sigmoid(beta * x)
    return 2 * s * (1 + beta * x * (1 - s)) - 1


def fourier(x):
    """Sines as FDA-BNN sums them."""
    return sum(4 / math.pi * torch.sin((2 * i + 1) * x) / (2 * i + 1) for i in range(3))


def root(x):
    """ReSTE's sign(x) * |x|^(1 / o)."""
    return torch.sign(x) * (x.abs() + 1e-6) ** (1 / 3)


def masked_identity(x):
    mask = (x.abs() <= 1).float()
    y = x * mask
    return y + (torch.sign(x) - y).detach()


def kept_gradient(x):
    """The value of a sign where it is inside, and of a constant outside."""
    y = torch.sign(x)
    inside = (x.abs() < 1).float()
    return (y - x * inside).detach() + x * inside


def blended(x, share=0.3):
    return share * (torch.sign(x) - x).detach() + share * x + (1 - share) * torch.sign(x)


def twice(x):
    y = x + (torch.sign(x) - x).detach()
    return y + (torch.sign(y) - y).detach()


def of_a_mask(x):
    y = torch.sigmoid(x)
    hard = (y > 0.5).float()
    return ((hard - y).detach() + y) * 2 - 1


def through_zeros_and_ones(x):
    """Of a quantizer to 0 and 1."""
    y = ((x + 1) / 2).clamp(0, 1)
    y = y + (y.round() - y).detach()
    return 2 * y - 1


def scaled(x):
    scale = 0.4
    y = (x / scale).clamp(-1, 1)
    return ((torch.sign(y) - y).detach() + y) * scale


def compares_with_gradient(x):
    y = torch.where(x >= 0, 1.0, -1.0)
    return y.detach() - x.detach() + x


STRAIGHT_THROUGH = {
    "x": surrogate(lambda x: x),
    "clamp(x, -1, 1)": surrogate(lambda x: x.clamp(-1, 1)),
    "hardtanh(x)": surrogate(functional.hardtanh),
    "hardtanh(2 * x)": surrogate(lambda x: functional.hardtanh(2 * x)),
    "tanh(x)": surrogate(torch.tanh),
    "tanh(3 * x)": surrogate(lambda x: torch.tanh(3 * x)),
    "k * tanh(t * x)": surrogate(error_decay),
    "2 * sigmoid(4 * x) - 1": surrogate(lambda x: 2 * torch.sigmoid(4 * x) - 1),
    "softsign(x)": surrogate(functional.softsign),
    "erf(x)": surrogate(torch.erf),
    "sin(x)": surrogate(torch.sin),
    "atan(x)": surrogate(torch.atan),
    "log(1 + exp(x))": surrogate(lambda x: torch.log(1 + torch.exp(x.clamp(max=20)))),
    "softplus(x)": surrogate(functional.softplus),
    "silu(x)": surrogate(functional.silu),
    "gelu(x)": surrogate(functional.gelu),
    "mish(x)": surrogate(functional.mish),
    "hardswish(x)": surrogate(functional.hardswish),
    "elu(x)": surrogate(functional.elu),
    "x ** 3": surrogate(lambda x: x**3),
    "sqrt(x.abs())": surrogate(lambda x: torch.sqrt(x.abs())),
    "x / (1 + x.abs())": surrogate(lambda x: x / (1 + x.abs())),
    "x / x.std()": surrogate(lambda x: x / x.std((1, 2, 3), keepdim=True)),
    "polynomial by where": surrogate(ramp),
    "polynomial by masks": surrogate(masked_ramp),
    "polynomial by clamp": surrogate(assigned_ramp),
    "SignSwish": surrogate(swish_sign),
    "Fourier series": surrogate(fourier),
    "|x| ** (1 / 3)": surrogate(root),
    "x + (sign(x) - x).detach()": reading(lambda x: x + (torch.sign(x) - x).detach()),
    "x - (x - sign(x)).detach()": reading(lambda x: x - (x - torch.sign(x)).detach()),
    "sign(x).detach() - x.detach() + x": reading(
        lambda x: torch.sign(x).detach() - x.detach() + x
    ),
    "masked identity": reading(masked_identity),
    "masked difference": reading(kept_gradient),
    "blended": reading(blended),
    "twice": reading(twice),
    "of sigmoid(x) > 0.5": reading(of_a_mask),
    "of 0 and 1": reading(through_zeros_and_ones),
    "scaled": reading(scaled),
    "of where": reading(compares_with_gradient),
    "half precision": reading(
        lambda x: (torch.sign(x.half()) - x.half() + x.half()).float()
    ),
}  # fmt: skip
