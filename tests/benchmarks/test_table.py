"""The speed-up table divides medians of one report, and says where a rival is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import table


def entry(runner: str, median: float, *, zeroise: bool) -> dict[str, object]:
    return {
        "extra_info": {"network": "A", "zeroise": zeroise, "runner": runner},
        "stats": {"median": median, "iqr": median / 10},
    }


@pytest.fixture
def report(tmp_path: Path) -> Path:
    benchmarks = [
        entry("native-scalar", 0.002, zeroise=True),
        entry("pytorch-float32", 0.050, zeroise=True),
        entry("pytorch-float32", 0.100, zeroise=False),
        {"extra_info": {}, "stats": {"median": 1.0, "iqr": 0.0}},  # of a layer, not of a network
    ]
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"machine_info": {}, "benchmarks": benchmarks}))
    return path


def test_ratios(report: Path) -> None:
    row = next(line for line in table.render(report).splitlines() if "native-scalar" in line)
    assert row.split(" | ")[1:4] == ["2.00 ms ± 10%", "25.0x", "50.0x"]


def test_missing_rival_is_a_dash(report: Path) -> None:
    row = next(line for line in table.render(report).splitlines() if "native-scalar" in line)
    assert row.rstrip(" |").split(" | ")[4:] == ["-"] * 4


def test_theory_of_the_paper(report: Path) -> None:
    text = table.render(report)
    assert "148.5x in the paper's accounting" in text
    assert "21.7x with the shortcut convolutions counted" in text
