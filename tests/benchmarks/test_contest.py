"""Times that were measured elsewhere reach pytest-benchmark."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import contest


def test_report_replays_the_times(tmp_path: Path) -> None:
    test = tmp_path / "test_it.py"
    test.write_text(REPORTING)
    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--benchmark-enable"]
    folder = Path(contest.__file__).parent
    run = subprocess.run(
        [*line, "-c", os.devnull, "-o", f"pythonpath={folder}", str(test)],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert "1 passed" in run.stdout, run.stdout


REPORTING = """
import contest

pytestmark = contest.replayed

def test_it(benchmark):
    contest.report(benchmark, [0.5, 1.5, 4.0], "group", kind="network")
    assert benchmark.stats.stats.sorted_data == [0.5, 1.5, 4.0]
    assert benchmark.group == "group"
    assert benchmark.extra_info == {"kind": "network"}
"""
