"""`bnas-run --evaluate`: accuracy on labelled pictures, and a report about it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bnas_deploy.cli.common.text import progress, safe
from bnas_deploy.errors import UsageError
from bnas_deploy.evaluation.measures import interval
from bnas_deploy.evaluation.outcomes import Outcomes
from bnas_deploy.evaluation.page.folder import PAGE, write_report
from bnas_deploy.runtime.class_folders import told_of_skipped
from bnas_deploy.runtime.evaluate import Accuracy, LabelledPictures, evaluate
from bnas_deploy.runtime.model import Model
from bnas_deploy.runtime.predictions import softmax
from bnas_deploy.runtime.stream import Answer

__all__ = ["run_evaluation"]

UNREADABLE = 1
BATCH = 64


def run_evaluation(model: Model, args: argparse.Namespace, facts: Mapping[str, Any]) -> int:
    """Measure accuracy as the arguments say, show it, and return the exit status.

    Args:
        model: What is measured.
        args: Of the command.
        facts: What --json says of the run.
    """
    pictures = LabelledPictures(args.evaluate, model.labels)
    for line in told_of_skipped(pictures.skipped):
        print(line, file=sys.stderr)
    outcomes = Outcomes(model.labels) if args.report else None
    result = evaluate(
        model,
        pictures,
        batch=args.batch or BATCH,
        workers=args.workers,
        watch=lambda items: _noted(progress(items, pictures.__len__), outcomes),
    )
    for answer in result.errors:
        print(f"error: {safe(str(answer.error))}", file=sys.stderr)
    if not result.count:
        msg = f"{args.evaluate}: none of its {len(pictures)} pictures can be read"
        raise UsageError(msg)
    record = {**facts, **_record(args.evaluate, result)}
    if outcomes is not None:
        record["report"] = _write_report(args, facts, outcomes)
    if args.json:
        print(json.dumps(record, indent=2))
    else:
        _write(result, record.get("report"))
    return UNREADABLE if result.errors else 0


def _noted(answers: Iterable[Answer], outcomes: Outcomes | None) -> Iterator[Answer]:
    """Let answers pass, and collect them."""
    for answer in answers:
        item = answer.item
        if outcomes is not None and answer.error is not None:
            outcomes.unreadable[item.name] = str(answer.error)
        elif outcomes is not None and answer.logits is not None and answer.pixels is not None:
            assert item.truth is not None
            probabilities = softmax(answer.logits[None])[0]
            outcomes.add(item.name, answer.pixels, probabilities, item.truth)
        yield answer


def _write_report(args: argparse.Namespace, facts: Mapping[str, Any], outcomes: Outcomes) -> str:
    folder = Path(args.report)
    named = {key: str(value) for key, value in facts.items() if value is not None}
    title = f"{Path(args.packed).stem} on {Path(args.evaluate).name}"
    write_report(folder, title, {**named, "data": args.evaluate}, outcomes)
    return str(folder / PAGE)


def _record(data: str, result: Accuracy) -> dict[str, Any]:
    return {
        "data": data,
        "count": result.count,
        "top_1": result.top_1 / result.count,
        "top_1_interval": list(interval(result.top_1, result.count)),
        "top_5": None if result.top_5 is None else result.top_5 / result.count,
        "errors": [{"image": a.item.name, "error": str(a.error)} for a in result.errors],
    }


def _write(result: Accuracy, report: str | None) -> None:
    right, count = result.top_1, result.count
    low, high = interval(right, count)
    between = f"95% interval {low:.1%} to {high:.1%}"
    print(f"top-1 accuracy: {right / count:.2%} ({right} of {count}; {between})")
    if result.top_5 is not None:
        print(f"top-5 accuracy: {result.top_5 / count:.2%} ({result.top_5} of {count})")
    if report is not None:
        print(f"report: {safe(report)}")
