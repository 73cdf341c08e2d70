"""Prints the tables of a benchmark report (JSON of pytest-benchmark); measures nothing.

Usage: python benchmarks/table.py reports/bench.json
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from bnas_deploy import cost
from bnas_deploy.nn.config import NetworkConfig, get_config
from bnas_deploy.nn.genotype import LATEST_CELL

RIVALS = ("pytorch-float32", "onnxruntime-float32", "onnxruntime-int8")

Key = tuple[str, bool]  # network, with Zeroise


Timings = dict[Key, dict[str, dict[str, float]]]
"""Per network and runner the statistics in seconds."""


def networks(report: dict[str, Any]) -> Timings:
    """The whole networks of a report."""
    timings: Timings = {}
    for entry in report["benchmarks"]:
        info = entry["extra_info"]
        if "network" in info:
            key = (info["network"], info["zeroise"])
            timings.setdefault(key, {})[info["runner"]] = entry["stats"]
    return timings


def layer_rows(report: dict[str, Any]) -> list[str]:
    """One line a convolution: operations a second, and how many times a rival's time."""
    groups: dict[str, dict[str, dict[str, Any]]] = {}
    for entry in report["benchmarks"]:
        if entry["extra_info"].get("kind") == "convolution":
            groups.setdefault(entry["group"], {})[entry["extra_info"]["runner"]] = entry
    rows = []
    for group, runners in groups.items():
        own = next(entry for name, entry in runners.items() if name not in RIVALS)
        median = own["stats"]["median"]
        cells = [f"{median * 1e6:.1f} µs", f"{macs(own['extra_info']['layer']) / median / 1e9:.0f}"]
        for rival in RIVALS[:2]:
            there = runners.get(rival)
            cells.append(f"{there['stats']['median'] / median:.1f}x" if there else "-")
        rows.append(f"| {group.removeprefix('convolution/')} | " + " | ".join(cells) + " |")
    return rows


def macs(layer: dict[str, Any]) -> int:
    """Multiply-accumulates of a convolution that keeps the size at stride 1, padding counted."""
    pixels = (layer["height"] // layer["stride"]) * (layer["width"] // layer["stride"])
    return int(pixels * layer["channels"] * layer["outputs"] * layer["kernel"] ** 2)


def config(key: Key) -> NetworkConfig:
    """The configuration that a key stands for."""
    name, zeroise = key
    found = get_config(name)
    return found if zeroise else replace(found, genotype=LATEST_CELL)


def speed_rows(key: Key, timings: Timings) -> list[str]:
    """One line a packed runner: its time and by how much it beats each rival."""
    own, other = timings[key], timings.get((key[0], False), {})
    rows = []
    for runner, stats in own.items():
        if runner in RIVALS:
            continue
        cells = [f"{stats['median'] * 1e3:.2f} ms ± {stats['iqr'] / stats['median']:.0%}"]
        for rival in RIVALS:
            for group in (own, other):
                ratio = group[rival]["median"] / stats["median"] if rival in group else None
                cells.append("-" if ratio is None else f"{ratio:.1f}x")
        rows.append(f"| {runner} | " + " | ".join(cells) + " |")
    return rows


def theory(key: Key) -> str:
    """The ratios that counting operations and bytes promises."""
    own, base = config(key), config((key[0], False))
    return (
        "Theory over float without Zeroise: "
        f"{cost.speedup(own, over=base):.1f}x in the paper's accounting, "
        f"{cost.speedup(own, over=base, full=True):.1f}x with the shortcut convolutions counted. "
        f"Memory: {cost.memory_saving(own, over=base):.1f}x in the paper's accounting, "
        f"{cost.memory_saving(own, over=base, full=True):.1f}x in full."
    )


def network_section(key: Key, timings: Timings) -> list[str]:
    """The lines on one network."""
    title = f"### BNAS-{key[0]}, {'with' if key[1] else 'without'} Zeroise"
    heads = [f"vs {rival}, {which}" for rival in RIVALS for which in ("same", "w/o Zeroise")]
    own = timings[key]
    rivals = [f"{r} {own[r]['median'] * 1e3:.1f} ms" for r in RIVALS if r in own]
    return [
        *(title, "", theory(key), ""),
        "| packed runner | time | " + " | ".join(heads) + " |",
        "|---|" + "---|" * (1 + len(heads)),
        *speed_rows(key, timings),
        *("", "Float counterpart of the same network: " + ", ".join(rivals) + ".", ""),
    ]


def render(path: Path) -> str:
    """The whole report as Markdown."""
    report = json.loads(path.read_text(encoding="utf-8"))
    timings = networks(report)
    cpu = report["machine_info"].get("engine", {}).get("cpu", {}).get("model", "unknown CPU")
    lines = [f"Machine: {cpu}; one thread, one image; median ± interquartile range.", ""]
    for key in sorted(timings, key=lambda k: (k[0], not k[1])):
        lines += network_section(key, timings)
    rows = layer_rows(report)
    if rows:
        heads = ("convolution", "time", "G binary MAC/s", *(f"vs {rival}" for rival in RIVALS[:2]))
        lines += ["### Layers", "", "| " + " | ".join(heads) + " |", "|---|" + "---|" * 4, *rows]
    return "\n".join(lines)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: table.py report.json")
    print(render(Path(sys.argv[1])))
