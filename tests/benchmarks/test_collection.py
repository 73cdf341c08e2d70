"""Every benchmark can be collected: what the files import is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_all_benchmarks_are_found() -> None:
    words = [sys.executable, "-m", "pytest", "benchmarks", "--collect-only", "-q"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
