"""Runs wrk, the load generator, and reads what it says."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

__all__ = ["drive", "missing"]

SCRIPT = Path(__file__).with_name("wrk.lua")
PATIENCE = 10
"""Seconds after which an answer counts as lost."""


def missing() -> str:
    """Return why there can be no load, or nothing."""
    return "" if shutil.which("wrk") else "wrk is not installed (Debian: apt-get install wrk)"


def drive(
    url: str, folder: Path, connections: int, seconds: float, *, pause_ms: int | None = None
) -> dict[str, Any]:
    """Send requests, and compare every answer.

    Args:
        url: Where to.
        folder: What to send and what must come back, as wrk.lua reads it.
        connections: How many clients there are, each with one request at a time.
        seconds: How long.
        pause_ms: How long a client waits after an answer; None: not at all.

    Returns:
        What wrk.lua says, `connections`, and `per_second`: right answers, without refusals.
    """
    words = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", str(SCRIPT)]
    words += [f"--timeout={PATIENCE}s", url, "--", str(folder)]
    if pause_ms is not None:
        words += [str(pause_ms), str(connections)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("JSON ")]
    told: dict[str, Any] = json.loads(line.removeprefix("JSON "))
    answered = told["requests"] - told["refused"] - told["wrong"]
    return {**told, "connections": connections, "per_second": answered / told["seconds"]}
