"""Facts about the machine and the software that a report states."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib import metadata
from typing import Any

from bnas_deploy import engine

__all__ = ["facts"]

PACKAGES = ("numpy", "numba", "torch", "onnxruntime", "openvino", "pytest-benchmark")
CACHES = ("L1d cache", "L1i cache", "L2 cache", "L3 cache")


def facts() -> dict[str, Any]:
    """What the ratios depend on; a package that is not installed is said to be missing."""
    return {
        "engine": engine.describe(),
        "os": f"{platform.system()} {platform.release().partition('-')[0]}",
        "caches": _caches(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "versions": {name: _version(name) for name in PACKAGES},
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _caches() -> dict[str, str]:
    """Sizes as lscpu gives them, or nothing where there is no lscpu."""
    lscpu = shutil.which("lscpu")
    if lscpu is None:
        return {}
    environment = os.environ | {"LC_ALL": "C"}
    run = subprocess.run([lscpu], capture_output=True, text=True, check=True, env=environment)
    found = (line.partition(":") for line in run.stdout.splitlines())
    return {key: value.strip() for key, _, value in found if key in CACHES}
