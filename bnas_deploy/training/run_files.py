"""Names of the files in a run's folder."""

from __future__ import annotations

__all__ = ["CHECKPOINT", "METRICS", "MODEL"]

CHECKPOINT, MODEL, METRICS = "checkpoint.pt", "model.pt", "metrics.csv"
