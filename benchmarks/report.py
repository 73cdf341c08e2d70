"""Makes a report folder (tables, pictures, JSON) out of a run of the benchmarks.

Usage: python benchmarks/report.py reports/bench.json [--larq larq.json] [--out DIR] [--format png]
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from reporting import larq, pictures, results, tables, targets


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    made.add_argument("json", type=Path, help="what pytest-benchmark wrote (make bench)")
    made.add_argument("--larq", type=Path, help="what against_larq.py wrote; a table more")
    made.add_argument("--out", type=Path, help="folder; default: <date>-<cpu> beside the JSON")
    made.add_argument("--format", choices=("svg", "png"), default="svg", help="of the pictures")
    return made


def write(
    source: Path, out: Path | None = None, form: str = "svg", *, against: Path | None = None
) -> Path:
    """Write bench.json, report.md and the pictures, and return their folder.

    Args:
        source: What pytest-benchmark wrote.
        out: The folder; None: one named after date and processor, beside `source`.
        form: Of the pictures, "svg" or "png".
        against: The comparison with larq's engine; it is copied, too.

    Raises:
        ValueError: `source` is not a report of the benchmarks, or `against` no comparison.
    """
    run = results.read(source)
    comparison = larq.read(against) if against else None
    folder = out or source.parent / f"{run.date}-{_slug(run.cpu)}"
    folder.mkdir(parents=True, exist_ok=True)
    drawn = pictures.draw(run, folder, form)
    reached = targets.outcomes(run, targets.read())
    lines = [tables.markdown(run, reached, drawn), *larq.section(comparison)]
    if comparison:
        larq.write(comparison, folder / "larq.json")
    text = "\n".join(lines).rstrip("\n") + "\n"
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
        folder = write(arguments.json, arguments.out, arguments.format, against=arguments.larq)
    except (OSError, ValueError) as error:
        sys.exit(f"report: {error}")
    print(folder / "report.md")


if __name__ == "__main__":
    main()
