"""One edge of the supernet: all primitives of the space at once, mixed.

This is the plain version; the supernet computes the edges out of a state together (`grouped`).

Shapes: x (N, C, H, W), the result (N, C, H / stride, W / stride); P primitives.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from bnas_deploy.nn.primitives import OPS
from bnas_deploy.search.space import ZEROISE

__all__ = [
    "MixedEdge",
    "without_affine",
]


class MixedEdge(nn.Module):
    """The sum over the primitives of probability times output (the relaxation of Eq. 6).

    The BatchNorms have no affine parameters, which would make up for a small probability, and a
    pool has one behind it, so that what is mixed is of one scale. Zeroise adds nothing, and its
    share of the probability is missing from the others: that is how it takes part.

    Attributes:
        space: The names of the primitives.
        ops: The modules by name, without Zeroise.
    """

    def __init__(self, space: Sequence[str], channels: int, stride: int) -> None:
        super().__init__()
        self.space = tuple(space)
        self.ops = nn.ModuleDict(
            {name: _candidate(name, channels, stride) for name in space if name != ZEROISE}
        )

    def forward(self, x: Tensor, p: Tensor) -> Tensor:
        """Mix the primitives' outputs with the probabilities p, (P,)."""
        parts = [p[self.space.index(name)] * op(x) for name, op in self.ops.items()]
        mixed: Tensor = sum(parts[1:], parts[0])
        return mixed


def without_affine(module: nn.Module) -> nn.Module:
    """Replace every BatchNorm inside a module by one without affine parameters."""
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, name, nn.BatchNorm2d(child.num_features, affine=False))
        else:
            without_affine(child)
    return module


def _candidate(name: str, channels: int, stride: int) -> nn.Module:
    op = without_affine(OPS[name](channels, stride, True))
    if "pool" not in name:
        return op
    return nn.Sequential(op, nn.BatchNorm2d(channels, affine=False))
