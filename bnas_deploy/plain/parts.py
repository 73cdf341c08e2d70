"""The parts of float networks: a convolution with its BatchNorm, and a sum.

Shapes: values are (N, C, H, W).
"""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["Sum", "conv"]


def conv(
    inputs: int,
    outputs: int,
    kernel: int,
    *,
    stride: int = 1,
    groups: int = 1,
    activation: type[nn.Module] | None = nn.ReLU,
) -> list[nn.Module]:
    """Return a convolution that keeps the resolution at stride 1, BatchNorm and activation."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    parts: list[nn.Module] = [layer, nn.BatchNorm2d(outputs)]
    return parts if activation is None else [*parts, activation()]


class Sum(nn.Module):
    """A body around which a shortcut leads, with or without an activation behind the sum."""

    def __init__(self, body: nn.Module, shortcut: nn.Module, after: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut
        self.after = after

    def forward(self, x: Tensor) -> Tensor:
        """Return after(body(x) + shortcut(x))."""
        y: Tensor = self.after(self.body(x) + self.shortcut(x))
        return y
