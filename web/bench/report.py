"""Writes the tables of docs/web-benchmarks.md and their picture out of what run.js has measured.

Usage: report.py RESULT.json PAGE.md PICTURE.svg
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

__all__ = ["draw", "fill", "tables"]

OWN = "bnas-8-bit"
NAMES = {
    "bnas-8-bit": "bnas-deploy, all that can be in 8 bits",
    "bnas-float": "bnas-deploy, stem, shortcuts and classifier float",
    "ort-float32": "ONNX Runtime Web, float32",
    "ort-int8": "ONNX Runtime Web, int8",
    "ort-float32-threads": "ONNX Runtime Web, float32, 2 threads",
    "ort-int8-threads": "ONNX Runtime Web, int8, 2 threads",
    "tfjs-float32": "TensorFlow.js, float32",
}
COLOURS = ("#0072B2", "#D55E00", "#E69F00", "#009E73")
"""Of Okabe and Ito, told apart by colour-blind readers too."""
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "bnas", "font.size": 9}
BEGIN, END = "<!-- measured -->", "<!-- end of what was measured -->"


def fill(page: str, run: dict[str, Any]) -> str:
    """Put the tables into the page's text, between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables(run)}\n\n{END}{after}"


def tables(run: dict[str, Any]) -> str:
    """Markdown: where it ran, one image, the first answer."""
    warm = run["warm"]
    versions = sorted({v for v in warm["about"].values() if " " in v})
    browser = next(part for part in warm["browser"].split() if "Chrome/" in part)
    where = (
        f"{run['cpu']}, {warm['cores']} cores; {browser.removeprefix('Headless')};"
        f" {', '.join(versions)}; {run['date']}."
    )
    return "\n\n".join([where, _warm(run), _cold(run)])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Aligned as the project's other tables are: text left, numbers right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [widths[0] * "-", *((width - 1) * "-" + ":" for width in widths[1:])]

    def text(row: Sequence[str]) -> str:
        first = row[0].ljust(widths[0])
        rest = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        return "| " + " | ".join([first, *rest]) + " |"

    return "\n".join([text(head), text(lines), *map(text, rows)])


def _spread(times: Sequence[float]) -> str:
    """The median, and the interquartile range as a share of it."""
    low, middle, high = quantiles(times, n=4)
    return f"{middle:.3g} ms ± {(high - low) / middle / 2:.0%}"


def _warm(run: dict[str, Any]) -> str:
    times, labels = run["warm"]["times"], run["labels"]
    rows = []
    for name in run["contestants"]:
        row = [NAMES[name]]
        for network in times:
            ours = median(times[network][OWN])
            ratio = median(times[network][name]) / ours
            row.append(_spread(times[network][name]) + ("" if name == OWN else f", {ratio:.1f}×"))
        rows.append(row)
    return _table(["one image", *(labels[network] for network in times)], rows)


def _visits(run: dict[str, Any]) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Network, engine, and its visits."""
    keys = dict.fromkeys((visit["network"], visit["name"]) for visit in run["cold"])
    for key in keys:
        yield *key, [visit for visit in run["cold"] if (visit["network"], visit["name"]) == key]


def _cold(run: dict[str, Any]) -> str:
    links = list(dict.fromkeys(visit["link"] for visit in run["cold"]))
    ours: dict[str, list[float]] = {}
    rows = []
    for network, name, visits in _visits(run):
        bytes_ = [visits[0][kind] for kind in ("sent", "raw")]
        times = [median(v["milliseconds"] for v in visits if v["link"] == link) for link in links]
        texts = [*(f"{b / 1e6:.2f} MB" for b in bytes_), *(f"{t:,.0f} ms" for t in times)]
        if name == OWN:
            ours[network] = [*bytes_, *times]
        else:
            ratios = zip([*bytes_, *times], ours[network], strict=True)
            texts = [f"{t}, {a / b:.1f}×" for t, (a, b) in zip(texts, ratios, strict=True)]
        rows.append([f"{run['labels'][network]}: {NAMES[name]}", *texts])
    heads = [f"first answer, {link}" for link in links]
    return _table(["a cold page", "bytes, gzipped", "bytes, unpacked", *heads], rows)


def draw(run: dict[str, Any], path: Path) -> None:
    """Bars: milliseconds an image with one thread, a panel for each network."""
    times, labels = run["warm"]["times"], run["labels"]
    one_thread = [name for name, its in run["contestants"].items() if its["threads"] == 1]
    names = [name for name in one_thread if name != "bnas-float"]
    height = 0.6 + (0.5 + 0.2 * len(names)) * len(times)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8, height), layout="constrained")
        panels = figure.subplots(len(times), 1, squeeze=False)[:, 0]
        for axis, network in zip(panels, times, strict=True):
            middles = [median(times[network][name]) for name in names]
            short = [NAMES[name].partition(", all")[0] for name in names]
            bars = axis.barh(short, middles, color=COLOURS[: len(names)])
            ratios = [f"{m:.3g} ms ({m / middles[0]:.1f}×)" for m in middles]
            axis.bar_label(bars, ratios, padding=3)
            axis.set_title(labels[network].replace("`", ""), fontsize=9, loc="left")
            axis.set_xlim(0, 1.25 * max(middles))
            axis.invert_yaxis()
            axis.spines[["top", "right"]].set_visible(False)
        panels[-1].set_xlabel("milliseconds an image, one thread")
        figure.savefig(path, metadata={"Date": None})


def main(result: Path, page: Path, picture: Path) -> None:
    """Write page and picture."""
    run = json.loads(result.read_text(encoding="utf-8"))
    page.write_text(fill(page.read_text(encoding="utf-8"), run), encoding="utf-8")
    draw(run, picture)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
