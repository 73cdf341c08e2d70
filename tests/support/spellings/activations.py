"""Signs of activations: functions, compares, masks, rounding, assignments, other types."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from support.spellings.network import Layer, reading


class Compare(torch.autograd.Function):
    """+1 from 0 on, as a function with a gradient of its own."""

    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return torch.where(x >= 0, torch.ones_like(x), -torch.ones_like(x))

    @staticmethod
    def backward(context, gradient):
        return gradient * (context.saved_tensors[0].abs() <= 1)


class Assigned(torch.autograd.Function):
    """Zeros become +1 in place."""

    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        out = torch.sign(x)
        out[out == 0] = 1
        return out

    @staticmethod
    def backward(context, gradient):
        return gradient


def assigned_both(x):
    y = x.clone()
    y[x >= 0] = 1
    y[x < 0] = -1
    return y


def assigned_one_after_the_other(x):
    y = x.clone()
    y[y >= 0] = 1.0
    y[y < 0] = -1.0
    return y


def assigned_zeros(x):
    y = torch.zeros_like(x)
    y[x > 0] = 1
    y[x <= 0] = -1
    return y


def filled(x):
    return torch.sign(x).masked_fill(x == 0, 1)


def filled_in_place(x):
    y = torch.ones_like(x)
    y.masked_fill_(x < 0, -1.0)
    return y


def masks(x):
    positive, negative = x.ge(0).type_as(x), x.lt(0).type_as(x)
    return positive - negative


def three_masks(x):
    return (x > 0).float() + (x == 0).float() - (x < 0).float()


def whole_numbers(x):
    return ((x >= 0).int() * 2 - 1).float()


def bytes_and_back(x):
    return (x >= 0).to(torch.int8).mul(2).sub(1).to(x.dtype)


def looked_up(x):
    return torch.tensor([-1.0, 1.0])[(x >= 0).long()]


def stacked(x):
    return torch.stack([-x, x]).argmax(0).float() * 2 - 1


def logic(x):
    inside = torch.logical_and(x > -1, x < 1)
    return torch.where(torch.logical_or(torch.logical_and(inside, x >= 0), x >= 1), 1.0, -1.0)


class Thresholds(nn.Module):
    """sign(x - b) with a learnable b for each channel (ReActNet's RSign), or `form` of it."""

    def __init__(self, channels, form):
        super().__init__()
        self.b = nn.Parameter(torch.randn(1, channels, 1, 1) * 0.2)
        self.form = form

    def forward(self, x):
        return self.form(x, self.b)


def thresholds(form):
    return lambda channels: Layer(channels, Thresholds(channels, form))


def one_bit_quantizer(x, low=-1.0, high=1.0):
    """As uniform quantizers write k = 1."""
    steps = 2**1 - 1
    y = (x.clamp(low, high) - low) / (high - low)
    return torch.round(y * steps) / steps * (high - low) + low


ACTIVATIONS = {name: reading(activation) for name, activation in {
    "torch.sign(x)": torch.sign,
    "x.sgn()": torch.sgn,
    "x.clone().sign_()": lambda x: x.clone().sign_(),
    "sign(sign(x) + 0.1)": lambda x: torch.sign(torch.sign(x) + 0.1),
    "sign(x).add(1e-6).sign()": lambda x: torch.sign(x).add(1e-6).sign(),
    "sign(x + 1e-20)": lambda x: torch.sign(x + 1e-20),
    "autograd.Function of where": Compare.apply,
    "autograd.Function, out[out == 0] = 1": Assigned.apply,
    "where(x >= 0, 1.0, -1.0)": lambda x: torch.where(x >= 0, 1.0, -1.0),
    "where(x > 0, ones, -ones)": lambda x: torch.where(
        x > 0, torch.ones_like(x), -torch.ones_like(x)
    ),
    "where(x < 0, full(-1), full(1))": lambda x: torch.where(
        x < 0, torch.full_like(x, -1), torch.full_like(x, 1)
    ),
    "where(x == 0, 1, sign(x))": lambda x: torch.where(x == 0, torch.ones_like(x), torch.sign(x)),
    "where(x.abs() < 1e-8, 1, sign(x))": lambda x: torch.where(
        x.abs() < 1e-8, torch.ones_like(x), torch.sign(x)
    ),
    "(x >= 0).float() * 2 - 1": lambda x: (x >= 0).float() * 2 - 1,
    "1 - 2 * (x < 0).float()": lambda x: 1 - 2 * (x < 0).float(),
    "x.gt(0).to(x.dtype).mul(2).sub(1)": lambda x: x.gt(0).to(x.dtype).mul(2).sub(1),
    "((x >= 0).float() - 0.5) * 2": lambda x: ((x >= 0).float() - 0.5) * 2,
    "((x >= 0).int() * 2 - 1).float()": whole_numbers,
    "(x >= 0).to(int8) and back": bytes_and_back,
    "x.ge(0).type_as(x) - x.lt(0).type_as(x)": masks,
    "masks of > 0, == 0 and < 0": three_masks,
    "(~(x < 0)).float() * 2 - 1": lambda x: (~(x < 0)).float() * 2 - 1,
    "((x > 0) | (x == 0)).float() * 2 - 1": lambda x: ((x > 0) | (x == 0)).float() * 2 - 1,
    "((x > 0) ^ True).float() * -2 + 1": lambda x: ((x > 0) ^ True).float() * -2 + 1,
    "logical_and, logical_or": logic,
    "1 - 2 * signbit(x).float()": lambda x: 1 - 2 * torch.signbit(x).float(),
    "heaviside(x, 1) * 2 - 1": lambda x: torch.heaviside(x, torch.ones(())) * 2 - 1,
    "copysign(1, x)": lambda x: torch.copysign(torch.ones_like(x), x),
    "y[x >= 0] = 1; y[x < 0] = -1": assigned_both,
    "y[y >= 0] = 1; y[y < 0] = -1": assigned_one_after_the_other,
    "zeros; y[x > 0] = 1; y[x <= 0] = -1": assigned_zeros,
    "sign(x).masked_fill(x == 0, 1)": filled,
    "ones.masked_fill_(x < 0, -1)": filled_in_place,
    "tensor([-1, 1])[(x >= 0).long()]": looked_up,
    "stack([-x, x]).argmax(0) * 2 - 1": stacked,
    "x / x.abs()": lambda x: (x + 1e-3) / (x + 1e-3).abs(),
    "x / (x.abs() + 1e-8)": lambda x: x / (x.abs() + 1e-8),
    "x / x.abs().clamp(min=1e-8)": lambda x: x / x.abs().clamp(min=1e-8),
    "x * rsqrt(x * x + 1e-16)": lambda x: x * torch.rsqrt(x * x + 1e-16),
    "(x / x.abs()).nan_to_num(1)": lambda x: (x / x.abs()).nan_to_num(1.0),
    "2 * round(sigmoid(x)) - 1": lambda x: 2 * torch.round(torch.sigmoid(x)) - 1,
    "2 * round(hardsigmoid(x)) - 1": lambda x: 2 * torch.round(functional.hardsigmoid(x)) - 1,
    "2 * round(clamp((x + 1) / 2, 0, 1)) - 1": lambda x: 2 * ((x + 1) / 2).clamp(0, 1).round() - 1,
    "a quantizer of k = 1 bit": one_bit_quantizer,
    "2 * floor(clamp(x, 0, 1) + 0.5) - 1": lambda x: 2 * (x.clamp(0, 1) + 0.5).floor() - 1,
    "2 * ceil(clamp(x, 0, 1)) - 1": lambda x: 2 * x.clamp(0, 1).ceil() - 1,
    "2 * trunc(clamp(x + 1, 0, 1)) - 1": lambda x: 2 * (x + 1).clamp(0, 1).trunc() - 1,
    "(sigmoid(x) > 0.5).float() * 2 - 1": lambda x: (torch.sigmoid(x) > 0.5).float() * 2 - 1,
    "clamp(x * 1e20, -1, 1)": lambda x: (x * 1e20).clamp(-1, 1),
    "hardtanh(x * 1e10)": lambda x: functional.hardtanh(x * 1e10),
    "tanh(x * 1e10)": lambda x: torch.tanh(x * 1e10),
    "sign(hardtanh(x))": lambda x: torch.sign(functional.hardtanh(x)),
    "sign(tanh(x))": lambda x: torch.sign(torch.tanh(x)),
    "sign(softsign(x))": lambda x: torch.sign(functional.softsign(x)),
    "sign(erf(x))": lambda x: torch.sign(torch.erf(x)),
    "sign(sin(clamp(x)))": lambda x: torch.sign(torch.sin(x.clamp(-1, 1))),
    "sign(atan(x))": lambda x: torch.sign(torch.atan(x)),
    "sign(x ** 3)": lambda x: torch.sign(x**3),
    "sign(x * x.abs())": lambda x: torch.sign(x * x.abs()),
    "sign(prelu(x))": lambda x: torch.sign(functional.leaky_relu(x, 0.25)),
    "sign(elu(x))": lambda x: torch.sign(functional.elu(x)),
    "sign(x - x.mean())": lambda x: torch.sign(x - x.mean((1, 2, 3), keepdim=True)),
    "sign(x.half()).float()": lambda x: torch.sign(x.half()).float(),
    "sign(x.double()).float()": lambda x: torch.sign(x.double()).float(),
    "0 and 1: (x > 0).float()": lambda x: (x > 0).float(),
    "0 and 1: relu(sign(x))": lambda x: torch.relu(torch.sign(x)),
    "0 and 1: round(clamp(x, 0, 1))": lambda x: torch.round(x.clamp(0, 1)),
    "0 and 1: heaviside(x, 0)": lambda x: torch.heaviside(x, torch.zeros(())),
    "-0.5 and 0.5": lambda x: torch.sign(x) / 2,
    "maximum(minimum(sign(x), 1), -1)": lambda x: torch.maximum(
        torch.minimum(torch.sign(x), torch.ones(())), -torch.ones(())
    ),
}.items()} | {
    "RSign: sign(x + b)": thresholds(lambda x, b: torch.sign(x + b)),
    "x >= b": thresholds(lambda x, b: (x >= b).float() * 2 - 1),
    "where(x > b, ...)": thresholds(lambda x, b: torch.where(x > b.expand_as(x), 1.0, -1.0)),
    "learnable scale of signs": lambda channels: Layer(
        channels, Thresholds(channels, lambda x, b: torch.sign(x) * b.abs().mean())
    ),
    "(x - b) / a, levels b - a and b + a": thresholds(
        lambda x, b: torch.sign((x - b.mean()) / 0.7) * 0.7 + b.mean()
    ),
}  # fmt: skip
