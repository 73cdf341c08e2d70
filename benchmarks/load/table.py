"""The figures of servers under load as Markdown, and which of them were to be reached."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from load.cases import BODIES
from load.engines import ENGINES

__all__ = ["markdown", "targets"]

Report = dict[str, Any]
TIMES, TAIL = 5, 3


def markdown(report: Report) -> str:
    """A page: the machine, targets, and a table for each part that was measured."""
    lines = [_head(report)]
    if "load" in report:
        lines += ["## Targets", _table(("target", "measured", "reached"), targets(report))]
        for network in dict.fromkeys(row["network"] for row in report["load"]):
            lines += [f"## BNAS-{network}", _load(report, network)]
        lines += ["## Ten times too many clients", _overload(report["overload"])]
    if "soak" in report:
        lines += ["## Memory over requests", _soak(report["soak"])]
    return "\n\n".join(lines) + "\n"


def _head(report: Report) -> str:
    facts = report["machine"]
    isas = facts["engine"].get("isas", {})
    able = ", ".join(name for name, state in isas.items() if state == "supported")
    return (
        "# Servers under load\n\n"
        "Written by `make bench-serve`. For each server: requests a second, and in brackets the"
        " median and the 99th percentile of their times in ms. One request is computed at a time,"
        " on one thread; wrk runs on the same machine. Every answer was compared; wrong or lost"
        " ones would be in the table.\n\n"
        f"{report['date']}, {facts['os']}, {facts['cores']} CPUs, {able}; ONNX Runtime"
        f" {facts['versions']['onnxruntime']}. {report.get('note', '')}".rstrip()
    )


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(heads), *(list(row) for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def targets(report: Report) -> list[tuple[str, str, str]]:
    """What was to be reached, what was measured, and whether it is enough."""
    load, over = report["load"], report["overload"]
    best = {
        name: max(row["per_second"] for row in _rows(load, "A", name, "tensor")) for name in ENGINES
    }
    (half,) = [row for row in load if row.get("half") and _is(row, "A", "bnas", "tensor")]
    times, tail = best["bnas"] / best["float32"], half["p99_ms"] / half["p50_ms"]
    bad = sum(row["wrong"] for row in [*load, *over])
    before, after = ((over[i]["p50_ms"]) for i in (0, -1))
    return [
        ("requests a second on tensors of BNAS-A, over the float32 server's, at least 5×",
         f"{times:.1f}×", _yes(times >= TIMES)),
        ("99th percentile over the median at half load, at most 3×",
         f"{tail:.1f}× at {half['per_second']:.0f} a second", _yes(tail <= TAIL)),
        ("wrong answers, none", str(bad), _yes(bad == 0)),
        ("median of one client after a minute of overload, as before (at most 1.5×)",
         f"{after / before:.2f}×", _yes(after <= 1.5 * before)),
    ]  # fmt: skip


def _yes(reached: bool) -> str:
    return "yes" if reached else "no"


def _is(row: Report, network: str, engine: str, body: str) -> bool:
    return (row["network"], row["engine"], row["body"]) == (network, engine, body)


def _rows(load: list[Report], network: str, engine: str, body: str) -> list[Report]:
    return [row for row in load if _is(row, network, engine, body) and not row.get("half")]


def _load(report: Report, network: str) -> str:
    load = report["load"]
    counts = [row["connections"] for row in _rows(load, network, "bnas", "tensor")]
    rows = []
    for body, label in BODIES.items():
        for engine, name in ENGINES.items():
            cells = [_cell(row) for row in _rows(load, network, engine, body)]
            rows.append((label, name, *cells, *_half(load, network, engine, body)))
    heads = [f"{n} connection{'s' * (n > 1)}" for n in counts]
    return _table(("requests", "server", *heads, "half load"), rows)


def _half(load: list[Report], network: str, engine: str, body: str) -> list[str]:
    found = [row for row in load if row.get("half") and _is(row, network, engine, body)]
    return [_cell(row) for row in found] or ["-"]


def _cell(row: Report) -> str:
    text = f"{row['per_second']:.0f} ({row['p50_ms']:.1f}, {row['p99_ms']:.1f})"
    faults = [f"{row[key]} {key}" for key in ("wrong", "lost", "refused") if row[key]]
    return ", ".join([text, *faults])


def _overload(rows: list[Report]) -> str:
    what = {
        "before": "one client, one image a request",
        "alone": "one client, 16 images a request",
        "over": "640 clients, 16 images a request",
        "after": "one client, one image a request",
    }
    cells = []
    for row in rows:
        answered = row["requests"] - row["refused"] - row["wrong"]
        counts = (f"{answered / row['seconds']:.0f}", f"{row['refused'] / row['seconds']:.0f}")
        faults = (str(row["refused_without_retry_after"]), str(row["wrong"]), str(row["lost"]))
        size = f"{row['megabytes']:.0f}"
        cells.append((what[row["phase"]], *counts, *faults, f"{row['p50_ms']:.1f}", size))
    heads = ("clients", "answers a second", "503 a second", "503 without Retry-After", "wrong",
             "lost", "median, ms", "memory after, MB")  # fmt: skip
    return _table(heads, cells)


def _soak(rows: list[Report]) -> str:
    marks = sorted({round(share * (len(rows) - 1)) for share in (0, 0.1, 0.25, 0.5, 0.75, 1)})
    cells = [
        (f"{row['requests']:,}", f"{row['megabytes']:.1f}", str(row["wrong"]), str(row["lost"]))
        for row in (rows[i] for i in marks)
    ]
    return _table(("requests", "memory, MB", "wrong", "lost"), cells)
