"""`bnas-run --output`: answers on many pictures, into a file that can be gone on with."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bnas_deploy.bulk.job import Written, answer_into
from bnas_deploy.bulk.partial import partial_path
from bnas_deploy.cli.common.entry import require
from bnas_deploy.cli.common.text import progress, safe
from bnas_deploy.errors import UsageError
from bnas_deploy.runtime.model import Model
from bnas_deploy.runtime.sources import Source
from bnas_deploy.runtime.stream import Answer

__all__ = ["write_output"]

UNREADABLE = 1
BATCH = 64


def write_output(
    model: Model,
    args: argparse.Namespace,
    items: Source,
    problems: Sequence[str],
    facts: Mapping[str, Any],
) -> int:
    """Write the answers as the arguments say, and return the exit status.

    Args:
        model: What answers.
        args: Of the command.
        items: The pictures.
        problems: What is wrong with arguments that name none.
        facts: What --json says of the run.
    """
    if args.ray is not None:
        written = _on_ray(model, args, items)
        _tell(written, args, problems, facts)
        return UNREADABLE if written.errors or problems else 0
    target = Path(args.output)

    def watch(found: Iterable[Answer], before: int) -> Iterable[Answer]:
        if before:
            place = safe(str(partial_path(target)))
            print(f"goes on behind {before:,} pictures of {place}", file=sys.stderr)
        return progress(found, items.expected, done=before)

    try:
        written = answer_into(
            target,
            model,
            items,
            top_k=args.top_k or 1,
            batch=args.batch or BATCH,
            workers=args.workers,
            force=args.force,
            watch=watch,
        )
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        raise
    _tell(written, args, problems, facts)
    return UNREADABLE if written.errors or problems else 0


def _on_ray(model: Model, args: argparse.Namespace, items: Source) -> Written:
    target = Path(args.output)
    if target.suffix or target.is_file():
        msg = f"--ray writes a folder of Parquet files; --output {target} is the name of one file"
        raise UsageError(msg)
    if args.ray and Path(args.ray).exists():
        msg = f"--ray {args.ray}: expected an address; give --ray last, or as --ray=ADDRESS"
        raise UsageError(msg)
    require("ray", "ray", "pyarrow")
    # Only now: these need the extra.
    from bnas_deploy.bulk.cluster import Asked, answer_on_ray, connected  # noqa: PLC0415
    from bnas_deploy.bulk.units import units_of  # noqa: PLC0415

    asked = Asked(args.top_k or 1, args.batch or BATCH, args.workers, args.column)
    units = units_of(items)
    with connected(args.ray or None):
        return answer_on_ray(target, model, units, asked, force=args.force)


def _tell(
    written: Written, args: argparse.Namespace, problems: Sequence[str], facts: Mapping[str, Any]
) -> None:
    if args.json:
        record = {
            **facts,
            "output": str(written.path),
            "pictures": written.pictures,
            "unreadable": written.errors,
            "errors": [{"image": None, "error": text} for text in problems],
        }
        print(json.dumps(record, indent=2))
        return
    unread = f", {written.errors:,} of them not readable" if written.errors else ""
    print(f"{safe(str(written.path))}: {written.pictures:,} pictures{unread}")
