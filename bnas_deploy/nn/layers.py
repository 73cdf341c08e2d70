"""The binary convolution and the binary unit around it.

Channels that are zero for every input may be left out: if a unit gets x (N, L, H, W) with fewer
channels than its I, the other I - L, the last ones, count as exactly zero. After the BatchNorm they
equal its shift at every position, so the convolution of them is constant except at a padded border.
The result is the same, at the cost of L channels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from bnas_deploy.nn.activation_scale import activation_scale
from bnas_deploy.nn.quantize import binarize_weight, binary_weight, constrain_weight, ste_sign

__all__ = [
    "BinaryConv2d",
    "ConvUnit",
    "FloatConv2d",
    "LatentConv2d",
    "Normalise",
    "Norms",
    "constant_channels",
    "convolve",
    "convolve_normalised",
    "count_batch",
    "kernel_weight",
    "normalise",
    "running_statistics",
]


class Normalise(Protocol):
    """A way to compute a BatchNorm of leading channels."""

    def __call__(self, bn: nn.BatchNorm2d, x: Tensor, *, binary: bool) -> Tensor:
        """Return the normalised x (N, L, H, W), or its signs if binary."""


Norms = dict[str, Tensor]
"""What comes behind shared BatchNorms in one pass, by the `shared` of the units."""


class FloatConv2d(nn.Conv2d):
    """A convolution without bias."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias=False
        )


class LatentConv2d(FloatConv2d):
    """A convolution without bias whose `weight` is latent: it computes with a binary form of it.

    Attributes:
        real_weights: Whether passes in training mode compute with the latent weight itself, as in
            the first of two stages of training. Evaluation is binary whatever it says.
    """

    real_weights = False


class BinaryConv2d(LatentConv2d):
    """A convolution without bias whose `weight` is latent: it computes with sign(W) * beta.

    In training mode each forward pass first centres and clamps the latent weight in place, as the
    release does; in evaluation mode nothing is changed.

    Attributes:
        constrain: Whether the next pass in training mode does that. A step of several passes
            (gradient accumulation) does it in the first one only, see `quantize`.
        centred: Whether the latent weight is centred over the input channels of a group.
    """

    constrain = True
    centred = True

    def forward(self, input: Tensor) -> Tensor:
        """Convolve signs, (N, I, H, W), with binary weights; padded positions add nothing."""
        return convolve(self, input, self.effective_weight(), None)

    def effective_weight(self) -> Tensor:
        """Return sign(W) * beta, (O, I, kh, kw), after constraining `weight` when training.

        With `real_weights` it is W, constrained, when training.
        """
        if self.training:
            if self.constrain:
                with torch.no_grad():
                    self.weight.copy_(constrain_weight(self.weight, centred=self.centred))
            if self.real_weights:
                return self.weight
            return binary_weight(self.weight, centred=self.centred)
        sign, beta = binarize_weight(self.weight, centred=self.centred)
        return sign * beta[:, None, None, None]


class ConvUnit(nn.Module):
    """BatchNorm, sign, binary convolution, ReLU; without the sign and the binary weight if float.

    Attributes:
        bn: The BatchNorm in front.
        op: `Sequential(convolution, ReLU)`, or the convolution alone, which is a `BinaryConv2d` if
            binary; `activations` puts other parts behind it.
        binary: Whether activations and weights are binarized.
        scaled: Whether the output is multiplied by the activation scale K (paper, Eq. 3).
        shared: What `Norms` call the normalised input where units share `bn` (`shared_norms`).
        normalise: How the BatchNorm is computed; `numba_unit.install` sets a faster way.
        rectify: How ReLU is computed, in place; likewise.
    """

    normalise: Normalise
    rectify: Callable[[Tensor], Tensor]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
        binary: bool = True,
        affine: bool = True,
        relu: bool = True,
    ) -> None:
        super().__init__()
        self.binary = binary
        self.scaled = False
        self.shared: str | None = None
        self.normalise = normalise
        self.rectify = functional.relu_
        self.bn = nn.BatchNorm2d(in_channels, affine=affine)
        kind = BinaryConv2d if binary else FloatConv2d
        conv = kind(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
        )
        self.op = nn.Sequential(conv, nn.ReLU()) if relu else nn.Sequential(conv)

    @property
    def conv(self) -> nn.Conv2d:
        """The convolution."""
        conv = self.op[0]
        assert isinstance(conv, nn.Conv2d)
        return conv

    def forward(self, x: Tensor, norms: Norms | None = None) -> Tensor:
        """Map (N, L, H, W) to (N, O, H', W'), L at most I; `norms`: of this pass, so far."""
        signs_alone = self.binary and not self.scaled
        y = self._normalised(x, norms, binary=signs_alone)
        absent = constant_channels(self.bn, x.shape[1], binary=signs_alone)
        y = convolve_normalised(self.conv, y, absent, binary=self.binary, scaled=self.scaled)
        for part in list(self.op)[1:]:
            y = self.rectify(y) if isinstance(part, nn.ReLU) else part(y)
        return y

    def _normalised(self, x: Tensor, norms: Norms | None, *, binary: bool) -> Tensor:
        if norms is None or self.shared is None:
            return self.normalise(self.bn, x, binary=binary)
        if self.shared not in norms:
            norms[self.shared] = self.normalise(self.bn, x, binary=binary)
        return norms[self.shared]


def normalise(bn: nn.BatchNorm2d, x: Tensor, *, binary: bool) -> Tensor:
    """Return the BatchNorm of x, (N, L, H, W), L at most its channels; its signs if binary.

    In training mode the running statistics change as if all channels had been there.
    """
    live = x.shape[1]
    y = bn(x) if live == bn.num_features else _normalise_leading(bn, x, live)
    return ste_sign(y) if binary else y


def constant_channels(bn: nn.BatchNorm2d, live: int, *, binary: bool) -> Tensor | None:
    """Return what channels `live` and up become behind a BatchNorm if they are zero; None if none.

    A batch's mean of them is zero, so in training all that is left is the shift, (I - live,).
    """
    if live == bn.num_features:
        return None
    assert bn.running_mean is not None
    if bn.training:
        value = bn.bias if bn.affine else running_statistics(bn)[0].new_zeros(bn.num_features)
    else:
        value = bn(torch.zeros_like(bn.running_mean)[None, :, None, None]).flatten()
    return ste_sign(value[live:]) if binary else value[live:]


def convolve_normalised(
    conv: nn.Conv2d, y: Tensor, absent: Tensor | None, *, binary: bool, scaled: bool
) -> Tensor:
    """Convolve what comes from a BatchNorm with the weights of `kernel_weight`.

    Args:
        conv: The convolution.
        y: (N, L, H, W): signs, or the BatchNorm's values if scaled or not binary.
        absent: As for `convolve`, of the same kind.
        binary: Whether the network is; if not, nothing is scaled.
        scaled: Take the signs here, and multiply by the activation scale K (paper, Eq. 3).
    """
    if not (binary and scaled):
        return convolve(conv, y, kernel_weight(conv), absent)
    signs_of_absent = None if absent is None else ste_sign(absent)
    product = convolve(conv, ste_sign(y), kernel_weight(conv), signs_of_absent)
    return product * activation_scale(conv, y, absent)


def kernel_weight(conv: nn.Conv2d) -> Tensor:
    """Return what a convolution computes with, (O, I, kh, kw), binary or not."""
    return conv.effective_weight() if isinstance(conv, BinaryConv2d) else conv.weight


def convolve(conv: nn.Conv2d, x: Tensor, weight: Tensor, absent: Tensor | None) -> Tensor:
    """Convolve x (N, L, H, W) and further constant channels, (I - L,), which are not in it.

    Args:
        conv: Gives the geometry and the bias.
        x: The leading channels.
        weight: (O, I, kh, kw).
        absent: Values of the channels I - L; None when L is I.
    """
    if absent is None:
        return functional.conv2d(
            x, weight, conv.bias, conv.stride, conv.padding, conv.dilation, conv.groups
        )
    assert conv.groups == 1

    def run(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return functional.conv2d(x, weight, bias, conv.stride, conv.padding, conv.dilation)

    live = x.shape[1]
    rest = (weight[:, live:] * absent[:, None, None]).sum(dim=1, keepdim=True)  # (O, 1, kh, kw)
    if not any(conv.padding):
        constant = rest.sum(dim=(1, 2, 3))
        bias = constant if conv.bias is None else constant + conv.bias
        return run(x, weight[:, :live], bias)
    border = run(x.new_ones(1, 1, *x.shape[2:]), rest, conv.bias)
    return run(x, weight[:, :live], None) + border


def _normalise_leading(bn: nn.BatchNorm2d, x: Tensor, live: int) -> Tensor:
    mean, var, momentum = running_statistics(bn)
    if bn.training:
        count_batch(bn, live)
    return functional.batch_norm(
        x,
        mean[:live],
        var[:live],
        bn.weight[:live] if bn.affine else None,
        bn.bias[:live] if bn.affine else None,
        bn.training,
        momentum,
        bn.eps,
    )


@torch.no_grad()
def count_batch(bn: nn.BatchNorm2d, live: int) -> None:
    """Note one more batch in which channels `live` and up were zero."""
    mean, var, momentum = running_statistics(bn)
    assert bn.num_batches_tracked is not None
    bn.num_batches_tracked.add_(1)
    mean[live:].mul_(1 - momentum)
    var[live:].mul_(1 - momentum)


def running_statistics(bn: nn.BatchNorm2d) -> tuple[Tensor, Tensor, float]:
    """Return running mean and variance, (C,), and their momentum; ours always have them."""
    assert bn.running_mean is not None
    assert bn.running_var is not None
    assert bn.momentum is not None
    return bn.running_mean, bn.running_var, bn.momentum
