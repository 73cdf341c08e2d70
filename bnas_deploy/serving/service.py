"""What every route needs of a server, in one value."""

from __future__ import annotations

from dataclasses import dataclass

from bnas_deploy.serving.limits import Gate
from bnas_deploy.serving.metrics import Metrics
from bnas_deploy.serving.shelf import Shelf

__all__ = ["Service"]


@dataclass(frozen=True)
class Service:
    """The models, the limits and the numbers of a server."""

    shelf: Shelf
    gate: Gate
    metrics: Metrics
