"""Metrics for TensorBoard, where it is installed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bnas_deploy.errors import UsageError
from bnas_deploy.extras import how_to_install

__all__ = [
    "EventWriter",
]


class EventWriter:
    """Writes one event file into a folder.

    Raises:
        UsageError: The package tensorboard is not installed.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - optional
        except ImportError as error:
            msg = (
                "--tensorboard: tensorboard is not installed;"
                f" {how_to_install('tensorboard')}, or leave the option out"
            )
            raise UsageError(msg) from error
        self._writer: Any = SummaryWriter(str(Path(folder)))

    def write(self, epoch: int, metrics: dict[str, float]) -> None:
        """Add an epoch's metrics."""
        for name, value in metrics.items():
            self._writer.add_scalar(name, value, epoch)
        self._writer.flush()
