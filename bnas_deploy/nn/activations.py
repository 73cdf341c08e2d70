"""What stands behind the binary convolutions of cells, and behind the cells.

ReActNet puts a learned shift, a PReLU and another shift behind each addition. Here the shift in
front is behind each convolution, where a packed network adds it for nothing, and the PReLU is
behind the cell; the shift behind it would only repeat what the BatchNorms that read it can do.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

from bnas_deploy.nn.cell import Cell
from bnas_deploy.nn.genotype import NODES
from bnas_deploy.nn.layers import ConvUnit

__all__ = ["CellPReLU", "Shift", "set_activations"]


class Shift(nn.Module):
    """Adds a learned number to each channel; 0 at first.

    Attributes:
        shift: (C,).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same."""
        return x + self.shift.to(x.dtype)[:, None, None]


class CellPReLU(nn.PReLU):
    """A PReLU of a cell's output, (N, L, H, W), of which trailing zero channels may be left out."""

    def forward(self, input: Tensor) -> Tensor:
        """Multiply what is negative by the slope of its channel."""
        return functional.prelu(input, self.weight[: input.shape[1]].to(input.dtype))


def set_activations(cells: Iterable[Cell], *, convs: str, outputs: str) -> None:
    """Change the activations of cells from the paper's.

    Args:
        cells: Of a network.
        convs: Behind single convolutions on edges, one of `config.ACTIVATIONS`; without ReLU there
            is none behind the input units either, which only signs and pools read.
        outputs: Behind the cells, one of `config.CELL_ACTIVATIONS`.
    """
    relu, shift = convs.endswith("relu"), convs.startswith("shift")
    for cell in cells:
        for unit in cell.inputs:
            _set_parts(unit, relu=relu, shift=False)
        for op in cell.ops:
            if isinstance(op, ConvUnit):
                _set_parts(op, relu=relu, shift=shift)
        if outputs == "prelu":
            cell.activation = CellPReLU(NODES * cell.shape.channels)


def _set_parts(unit: ConvUnit, *, relu: bool, shift: bool) -> None:
    parts: list[nn.Module] = [unit.conv]
    parts += [Shift(unit.conv.out_channels)] if shift else []
    parts += [nn.ReLU()] if relu else []
    unit.op = nn.Sequential(*parts)
