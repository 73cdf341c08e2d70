"""The machine and the software, which results depend on beside their definition."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

from bnas_deploy import __version__, engine

__all__ = ["machine_facts", "versions"]

PACKAGES = ("numpy", "torch", "numba")


def machine_facts() -> dict[str, str]:
    """Return processor, cores that may be used, and system."""
    cpu = engine.describe()["cpu"]
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": cpu["model"],
        "cores": str(allowed),
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions() -> dict[str, str]:
    """Return the versions of the software; `commit` only in a checkout."""
    found = {"bnas-deploy": __version__, "python": platform.python_version()}
    found |= {name: _version(name) for name in PACKAGES}
    commit = _commit()
    return {**found, "commit": commit} if commit else found


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _commit() -> str | None:
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "--short=12", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip() or None
