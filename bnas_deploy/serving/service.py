"""What every route needs of a server, in one value, and making it from files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bnas_deploy.serving.limits import Gate, Limits
from bnas_deploy.serving.metrics import Metrics
from bnas_deploy.serving.shelf import Shelf

__all__ = ["Service", "make_service"]


@dataclass(frozen=True)
class Service:
    """The models, the limits and the numbers of a server."""

    shelf: Shelf
    gate: Gate
    metrics: Metrics


def make_service(
    packed: Sequence[str],
    *,
    name: str | None = None,
    threads: int = 1,
    limits: Limits | None = None,
) -> Service:
    """Load files.

    Args:
        packed: ``.bnn`` files and folders of them.
        name: What the only model is called; None: after its file.
        threads: Of each model.
        limits: None: those of `Limits`.

    Raises:
        UsageError, FormatError: As `Shelf.add`.
    """
    metrics = Metrics()
    shelf = Shelf(threads, metrics)
    shelf.add(packed, name=name)
    return Service(shelf, Gate(limits or Limits()), metrics)
