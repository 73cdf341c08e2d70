"""Records how large the gradients of a network's convolutions are, epoch by epoch.

The paper's Figs. 4 and 10 show the sum of the gradients' magnitudes of convolution layers.
"""

from __future__ import annotations

import csv
import io
import os
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import torch
from torch import Tensor, nn

from bnas_deploy import atomic
from bnas_deploy.errors import CheckpointError

__all__ = [
    "GRADIENTS",
    "GradientRecorder",
    "GradientRow",
    "read_gradients",
]

GRADIENTS = "gradients.csv"
"""What the file is called in a run's folder."""


@dataclass(frozen=True)
class GradientRow:
    """One convolution in one epoch.

    Attributes:
        epoch: Counted from 1.
        layer: Place among the convolutions in the order of the modules, from 0.
        name: Of its module.
        steps: Steps that were seen: all of the epoch, or those after the run was resumed.
        mean: Mean over those steps of the sum of |gradient| over the weights.
        most: The largest such sum.
    """

    epoch: int
    layer: int
    name: str
    steps: int
    mean: float
    most: float


class GradientRecorder:
    """Adds up |gradient| of every convolution's weights after each step's backward pass.

    Attributes:
        rows: Of the finished epochs.
    """

    def __init__(self, network: nn.Module) -> None:
        convs = [(n, m) for n, m in network.named_modules() if isinstance(m, nn.Conv2d)]
        self.rows: list[GradientRow] = []
        self._names = [name for name, _ in convs]
        self._weights = [conv.weight for _, conv in convs]
        self._steps = 0
        self._total = self._most = self._zeros()

    def add(self) -> None:
        """Take the gradients as they are now."""
        sums = self._magnitudes()
        self._total = self._total + sums
        self._most = torch.maximum(self._most, sums)
        self._steps += 1

    def finish(self, epoch: int) -> None:
        """Turn what was added into the rows of an epoch that is over."""
        means = (self._total / max(self._steps, 1)).tolist()
        for layer, (name, mean, most) in enumerate(
            zip(self._names, means, self._most.tolist(), strict=True)
        ):
            self.rows.append(GradientRow(epoch, layer, name, self._steps, mean, most))
        self._steps = 0
        self._total = self._most = self._zeros()

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write all rows as CSV."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(field.name for field in fields(GradientRow))
        writer.writerows(map(astuple, self.rows))
        atomic.write_text(path, text.getvalue())

    def _zeros(self) -> Tensor:
        return torch.zeros(len(self._weights), dtype=torch.float64)

    def _magnitudes(self) -> Tensor:
        """The sums of this step, (layers,); a convolution that nobody reads has no gradient."""
        sums = self._zeros()
        found = [(i, w.grad) for i, w in enumerate(self._weights) if w.grad is not None]
        if found:
            norms = torch._foreach_norm([grad for _, grad in found], 1)
            places = torch.tensor([i for i, _ in found])
            sums[places] = torch.stack(norms).double().cpu()
        return sums


def read_gradients(path: str | os.PathLike[str]) -> list[GradientRow]:
    """Read what `GradientRecorder.write` wrote.

    Raises:
        CheckpointError: The file is missing or damaged.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8") as file:
            return [
                GradientRow(
                    *(int(row[0]), int(row[1]), row[2], int(row[3])),
                    *(float(row[4]), float(row[5])),
                )
                for row in list(csv.reader(file))[1:]
            ]
    except (OSError, ValueError, IndexError) as error:
        msg = f"{path}: cannot be read as a record of gradients ({error})"
        raise CheckpointError(msg) from error
