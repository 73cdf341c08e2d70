"""Makes a report folder (tables, pictures, JSON) out of a run of the benchmarks.

Usage: python benchmarks/report.py reports/bench.json [--out DIR] [--format png]
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from reporting import pictures, results, tables, targets


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    made.add_argument("json", type=Path, help="what pytest-benchmark wrote (make bench)")
    made.add_argument("--out", type=Path, help="folder; default: <date>-<cpu> beside the JSON")
    made.add_argument("--format", choices=("svg", "png"), default="svg", help="of the pictures")
    return made


def write(source: Path, out: Path | None = None, form: str = "svg") -> Path:
    """Write bench.json, report.md and the pictures, and return their folder.

    Raises:
        ValueError: `source` is not a report of the benchmarks.
    """
    run = results.read(source)
    folder = out or source.parent / f"{run.date}-{_slug(run.cpu)}"
    folder.mkdir(parents=True, exist_ok=True)
    drawn = pictures.draw(run, folder, form)
    reached = targets.outcomes(run, targets.read())
    text = tables.markdown(run, reached, drawn).rstrip("\n") + "\n"
    (folder / "report.md").write_text(text, encoding="utf-8")
    _copy(source, folder / "bench.json")
    return folder


def _copy(source: Path, target: Path) -> None:
    """Copy without the single times, which are most of the file, and the machine's own name."""
    report = json.loads(source.read_text(encoding="utf-8"))
    for name in ("node", "release"):
        report["machine_info"].pop(name, None)
    for entry in report["benchmarks"]:
        entry["stats"].pop("data", None)
    target.write_text(json.dumps(report) + "\n", encoding="utf-8")


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"\([^)]*\)", "", text.lower())).strip("-")


def main() -> None:
    """Run the command."""
    arguments = parser().parse_args()
    try:
        folder = write(arguments.json, arguments.out, arguments.format)
    except (OSError, ValueError) as error:
        sys.exit(f"report: {error}")
    print(folder / "report.md")


if __name__ == "__main__":
    main()
