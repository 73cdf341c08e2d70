"""Writes the page and its files into a folder."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bnas_deploy import atomic
from bnas_deploy.errors import UsageError
from bnas_deploy.evaluation.drawings.calibration import calibration
from bnas_deploy.evaluation.drawings.confusion import MOST_CLASSES, confusion
from bnas_deploy.evaluation.drawings.photographs import contact_sheet
from bnas_deploy.evaluation.measures import Measures, interval, measure
from bnas_deploy.evaluation.outcomes import Outcomes
from bnas_deploy.evaluation.page.html import page

__all__ = ["PAGE", "write_report"]

PAGE = "index.html"
_FILES = (
    PAGE,
    "report.json",
    "classes.csv",
    "confusion.csv",
    "confusion.svg",
    "calibration.svg",
    "mistakes.csv",
    "mistakes.png",
)


def write_report(
    folder: Path, title: str, facts: Mapping[str, str], outcomes: Outcomes
) -> Measures:
    """Write an evaluation's report: `index.html`, which needs no other file, and the files.

    Args:
        folder: Made where it is missing; an older report in it is replaced.
        title: Heading of the page.
        facts: What was evaluated and how.
        outcomes: The answers, at least one.

    Returns:
        What the page shows.

    Raises:
        UsageError: The folder cannot be written.
    """
    measures = measure(outcomes)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in _FILES:
            (folder / name).unlink(missing_ok=True)
        for name, content in _contents(title, facts, outcomes, measures).items():
            atomic.write_bytes(folder / name, content)
    except OSError as error:
        msg = f"{folder}: the report cannot be written ({error.strerror or error})"
        raise UsageError(msg) from error
    return measures


def _contents(
    title: str, facts: Mapping[str, str], outcomes: Outcomes, measures: Measures
) -> dict[str, bytes]:
    """Every file by name; the page comes last, so that it is there only with all the others."""
    texts = {
        "report.json": json.dumps(_record(title, facts, outcomes, measures), indent=2) + "\n",
        "classes.csv": _csv(("class", "pictures", "right", "named"), _class_rows(measures)),
        "confusion.csv": _csv(("true \\ named", *outcomes.labels), _confusion_rows(measures)),
        "mistakes.csv": _csv(("picture", "class", "named", "confidence"), _mistake_rows(outcomes)),
        "calibration.svg": calibration(measures),
    }
    if len(measures.classes) <= MOST_CLASSES:
        texts["confusion.svg"] = confusion(measures)
    files = {name: text.encode() for name, text in texts.items()}
    if outcomes.mistakes:
        files["mistakes.png"] = contact_sheet(outcomes.mistakes)
    return {**files, PAGE: page(title, facts, outcomes, measures).encode()}


def _record(
    title: str, facts: Mapping[str, str], outcomes: Outcomes, measures: Measures
) -> dict[str, Any]:
    low, high = interval(measures.right, measures.count)
    return {
        "title": title,
        **facts,
        "count": measures.count,
        "top_1": measures.accuracy,
        "top_1_interval": [low, high],
        "top_5": None if measures.top_5 is None else measures.top_5 / measures.count,
        "calibration_error": measures.calibration_error,
        "classes": [
            {**asdict(one), "recall": one.recall, "precision": one.precision}
            for one in measures.classes
        ],
        "calibration": [asdict(one) for one in measures.bins],
        "unreadable": outcomes.unreadable,
    }


def _class_rows(measures: Measures) -> Iterable[Sequence[object]]:
    return ((one.label, one.pictures, one.right, one.named) for one in measures.classes)


def _confusion_rows(measures: Measures) -> Iterable[Sequence[object]]:
    rows = zip(measures.classes, measures.confusion.tolist(), strict=True)
    return ((one.label, *counts) for one, counts in rows)


def _mistake_rows(outcomes: Outcomes) -> Iterable[Sequence[object]]:
    labels = outcomes.labels
    return (
        (m.name, labels[m.truth], labels[m.predicted], f"{m.confidence:.4f}")
        for m in outcomes.mistakes
    )


def _csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return file.getvalue()
