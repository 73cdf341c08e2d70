"""What stands in the way of an import, one `Obstacle` a node; nothing is detected here."""

from __future__ import annotations

from dataclasses import dataclass

from bnas_deploy.errors import ConversionError

__all__ = ["CannotConvert", "Obstacle", "refusal"]


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
    """

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}; {remedy}")
        self.reason = reason
        self.remedy = remedy


def refusal(source: str, obstacles: list[Obstacle]) -> ConversionError:
    """Return the error that lists every obstacle of a model."""
    count = len(obstacles)
    listed = " | ".join(map(str, obstacles))
    msg = f"{source} cannot be converted, {count} obstacle{'s' * (count > 1)}: {listed}"
    return ConversionError(msg)
