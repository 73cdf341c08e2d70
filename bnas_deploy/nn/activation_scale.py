"""The activation scale K of XNOR-Net: how large the activations of a window are.

The paper's Eq. 3 takes beta K (B * I) for W * A, with K the mean of |A| over the channels, filtered
by a box of the kernel's window, here with its stride, dilation and padding. Positions
outside the image count as zeros, as they do in the convolution. A depthwise convolution uses the
mean over all channels as well. The gradient of K is that of these formulas.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["activation_scale", "use_activation_scale"]


def activation_scale(conv: nn.Conv2d, x: Tensor, absent: Tensor | None) -> Tensor:
    """Return K, (N, 1, H', W'), for what a binary convolution reads the signs of.

    Args:
        conv: Gives the window.
        x: (N, L, H, W), before the sign.
        absent: Further channels (I - L,), the same everywhere; None when L is I.
    """
    total = x.abs().sum(dim=1, keepdim=True)
    channels = x.shape[1]
    if absent is not None:
        total = total + absent.abs().sum()
        channels += len(absent)
    kh, kw = conv.kernel_size
    box = x.new_full((1, 1, kh, kw), 1 / (kh * kw))
    mean = total / channels
    return functional.conv2d(mean, box, None, conv.stride, conv.padding, conv.dilation)


def use_activation_scale(network: nn.Module) -> None:
    """Make every binarized unit of a network multiply its output by K."""
    for module in network.modules():
        if getattr(module, "binary", False) is True and hasattr(module, "scaled"):
            setattr(module, "scaled", True)  # noqa: B010 - modules of several classes have it
