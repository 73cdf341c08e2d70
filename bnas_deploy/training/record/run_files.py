"""Names of the files in a run's folder."""

from __future__ import annotations

__all__ = ["BEST", "CHECKPOINT", "METRICS", "MODEL", "REPORT", "SKIPPED"]

CHECKPOINT, MODEL, METRICS = "checkpoint.pt", "model.pt", "metrics.csv"
BEST, SKIPPED, REPORT = "best.pt", "skipped.txt", "report"
