"""What stands in the way of an import, one `Obstacle` per node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bnas_deploy.converters.signs.rising import Rising
from bnas_deploy.errors import ConversionError

__all__ = ["CannotConvert", "Obstacle", "Refusal"]


@dataclass(frozen=True)
class Obstacle:
    """Why one node keeps a model from being converted.

    Attributes:
        node: Its name, or that of its first output.
        op: Its operator.
        reason: What about it has no meaning in a packed program.
        remedy: What would help.
    """

    node: str
    op: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.node} ({self.op}): {self.reason}; {self.remedy}"


class CannotConvert(ConversionError):
    """One node has no meaning in a packed program; the import collects these.

    Attributes:
        reason: As in `Obstacle`.
        remedy: As in `Obstacle`.
        rising: What the node's result rises with, so that what reads its sign needs no more of it.
    """

    def __init__(self, reason: str, remedy: str, rising: Rising | None = None) -> None:
        super().__init__(f"{reason}; {remedy}")
        self.reason = reason
        self.remedy = remedy
        self.rising = rising


class Refusal(ConversionError):
    """A model that cannot be converted, with every obstacle on a line of its own.

    Attributes:
        obstacles: In the order of the model's nodes: a cause comes before its consequences.
    """

    def __init__(self, source: str, obstacles: Sequence[Obstacle]) -> None:
        count = len(obstacles)
        summary = f"{source} cannot be converted, {count} obstacle{'s' * (count > 1)}:"
        self._lines = (summary, *map(str, obstacles))
        self.obstacles = tuple(obstacles)
        super().__init__("\n  ".join(self._lines))

    @property
    def lines(self) -> tuple[str, ...]:
        """A summary, and a line for each obstacle."""
        return self._lines
