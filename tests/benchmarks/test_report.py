"""The command writes a folder with the tables, the pictures and the JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
import report as command
from reporting import larq


def test_folder(report: Path) -> None:
    folder = command.write(report)
    assert folder == report.parent / "2026-01-02-made-up-3000"
    names = {path.name for path in folder.iterdir()}
    assert names == {"bench.json", "report.md", "speedup.svg", "memory.svg", "roofline.svg"}
    assert "Compute Engine\n\nNot measured.\n" in (folder / "report.md").read_text()
    assert "149.14×" in (folder / "speedup.svg").read_text()
    assert "91.06×" in (folder / "memory.svg").read_text()
    copied = json.loads((folder / "bench.json").read_text())
    assert "data" not in copied["benchmarks"][0]["stats"]


def test_what_was_not_measured_is_not_drawn(report: Path) -> None:
    content = json.loads(report.read_text())
    content["benchmarks"] = content["benchmarks"][:1]
    report.write_text(json.dumps(content))
    folder = command.write(report, report.parent / "out")
    assert {path.name for path in folder.iterdir()} == {"bench.json", "report.md"}


def test_the_comparison_with_larq_is_a_table_more(report: Path) -> None:
    seconds = {"packed": [0.1, 0.1, 0.1], "LCE": [0.4, 0.4, 0.4]}
    network = larq.Network("quicknet", dict.fromkeys(seconds, 1.0), seconds)
    larq.write(larq.Comparison([network], ["packed"], "wall"), report.parent / "larq.json")
    folder = command.write(report, report.parent / "out", against=report.parent / "larq.json")
    text = (folder / "report.md").read_text()
    assert "| quicknet | 100.00 ms ± 0% (1.000) | 400.00 ms ± 0% (1.000) | 4.0× |" in text
    assert (folder / "larq.json").is_file()


def test_the_copy_may_be_the_source(report: Path) -> None:
    folder = command.write(report, report.parent)
    assert command.write(folder / "bench.json", folder) == folder


@pytest.mark.parametrize(
    ("arguments", "status", "said"), [(["--help"], 0, "--out"), (["missing.json"], 1, "missing")]
)
def test_command_line(arguments: list[str], status: int, said: str) -> None:
    line = [sys.executable, command.__file__, *arguments]
    run = subprocess.run(line, capture_output=True, text=True, check=False)
    assert run.returncode == status
    assert said in run.stdout + run.stderr
