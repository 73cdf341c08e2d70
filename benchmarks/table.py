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


def read(path: Path) -> tuple[dict[str, Any], dict[Key, dict[str, dict[str, float]]]]:
    """Machine facts, and per network the statistics of each runner (seconds)."""
    report = json.loads(path.read_text(encoding="utf-8"))
    timings: dict[Key, dict[str, dict[str, float]]] = {}
    for entry in report["benchmarks"]:
        info = entry["extra_info"]
        if "network" in info:
            timings.setdefault((info["network"], info["zeroise"]), {})[info["runner"]] = entry[
                "stats"
            ]
    return report["machine_info"], timings


def config(key: Key) -> NetworkConfig:
    """The configuration that a key stands for."""
    name, zeroise = key
    found = get_config(name)
    return found if zeroise else replace(found, genotype=LATEST_CELL)


def speed_rows(key: Key, timings: dict[Key, dict[str, dict[str, float]]]) -> list[str]:
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


def render(path: Path) -> str:
    """The whole report as Markdown."""
    machine, timings = read(path)
    cpu = machine.get("engine", {}).get("cpu", {}).get("model", "unknown CPU")
    lines = [f"Machine: {cpu}; one thread, one image; median ± interquartile range.", ""]
    for key in sorted(timings, key=lambda k: (k[0], not k[1])):
        title = f"BNAS-{key[0]}, {'with' if key[1] else 'without'} Zeroise"
        lines += [f"### {title}", "", theory(key), ""]
        heads = [f"{rival} {which}" for rival in RIVALS for which in ("same", "w/o Zeroise")]
        lines += ["| packed runner | time | " + " | ".join(f"vs {h}" for h in heads) + " |"]
        lines += ["|---|" + "---|" * (1 + len(heads))]
        lines += [*speed_rows(key, timings), ""]
        rivals = [
            f"{r} {timings[key][r]['median'] * 1e3:.1f} ms" for r in RIVALS if r in timings[key]
        ]
        lines += ["Float counterpart of the same network: " + ", ".join(rivals) + ".", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: table.py report.json")
    print(render(Path(sys.argv[1])))
