"""What a search leaves behind: cells as JSON, metrics, an account, pictures."""

from __future__ import annotations

import csv
import io
import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path

from bnas_deploy import atomic
from bnas_deploy.search.curves import draw_curves
from bnas_deploy.search.drawing import draw_cells
from bnas_deploy.search.loop import Searcher, gamma_name
from bnas_deploy.search.selection import shares
from bnas_deploy.training.machine.device import torch_version

__all__ = [
    "ACCOUNT",
    "CURVES",
    "METRICS",
    "Times",
    "account",
    "genotype_file",
    "picture_file",
    "write_pictures",
    "write_result",
]

METRICS, ACCOUNT, CURVES = "metrics.csv", "search.json", "curves.png"


def genotype_file(gamma: float) -> str:
    """Return the name of the file with the cells of a gamma."""
    return f"genotype-gamma-{gamma_name(gamma)}.json"


def picture_file(gamma: float) -> str:
    """Return the name of the drawing of those cells."""
    return f"cells-gamma-{gamma_name(gamma)}.png"


Times = Mapping[float, Mapping[str, float]]
"""`predicted_ms` and, where it was measured, `measured_ms` by gamma."""


def write_result(searcher: Searcher, folder: Path, *, times: Times | None = None) -> None:
    """Write the cells of every gamma, metrics.csv and search.json; older ones are replaced."""
    for gamma, genotype in searcher.genotypes().items():
        atomic.write_text(folder / genotype_file(gamma), genotype.to_json() + "\n")
    _write_metrics(searcher, folder / METRICS)
    details = {
        "probabilities": {kind: p.tolist() for kind, p in searcher.probabilities().items()},
        "history": searcher.progress.history,
        "cells_of_epochs": searcher.progress.cells,
    }
    text = json.dumps({**account(searcher, folder, times=times), **details}, indent=1)
    atomic.write_text(folder / ACCOUNT, text + "\n")


def write_pictures(searcher: Searcher, folder: Path) -> None:
    """Draw the curves, if an epoch is done, and the cells of every gamma. Needs matplotlib."""
    history = searcher.progress.history
    if history:
        draw_curves(history, len(searcher.supernet.space), folder / CURVES)
    for gamma, genotype in searcher.genotypes().items():
        title = f"γ = {gamma_name(gamma)}, after epoch {searcher.progress.epoch}"
        path = folder / picture_file(gamma)
        draw_cells(genotype, path, title=title, skip=searcher.recipe.skip)


def account(
    searcher: Searcher, folder: str | os.PathLike[str], *, times: Times | None = None
) -> dict[str, object]:
    """Return the result and how it came about, as plain values."""
    cells = {}
    for gamma, genotype in searcher.genotypes().items():
        learnable, zeroise = shares(genotype)
        cells[gamma_name(gamma)] = {
            "file": str(Path(folder) / genotype_file(gamma)),
            **genotype.to_dict(),
            "learnable": learnable,
            "zeroise": zeroise,
            **((times or {}).get(gamma) or {}),
        }
    history = searcher.progress.history
    return {
        "cells": cells,
        "space": list(searcher.supernet.space),
        "dataset": searcher.data.name,
        "images": len(searcher.data.train),
        "recipe": searcher.recipe.to_dict(),
        "seed": searcher.seed,
        "epochs": searcher.progress.epoch,
        "seconds": round(searcher.progress.seconds, 1),
        "search_accuracy": history[-1]["search_accuracy"] if history else None,
        "latency": _latency(searcher),
        "runtime": str(searcher.runtime),
        "torch": torch_version(),
        "python": platform.python_version(),
    }


def _latency(searcher: Searcher) -> dict[str, object] | None:
    timing = searcher.timing
    if timing is None:
        return None
    return {
        "machine": dict(timing.table.machine),
        "network": timing.config.to_dict(),
        "eight_bit": list(timing.table.covers.eight_bit),
        "target_ms": searcher.recipe.target_ms or None,
        "weight": timing.weight,
        "margin": timing.margin,
    }


def _write_metrics(searcher: Searcher, path: Path) -> None:
    rows = searcher.progress.history
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    atomic.write_text(path, text.getvalue())
