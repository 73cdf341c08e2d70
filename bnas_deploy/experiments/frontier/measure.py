"""Measures all columns that this machine can, each once, in a process of its own."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from bnas_deploy.errors import BackendError
from bnas_deploy.experiments.definition import Setup
from bnas_deploy.experiments.frontier.columns import Column, here
from bnas_deploy.experiments.frontier.entries import Entry, entries, same_network
from bnas_deploy.experiments.frontier.files import make_files
from bnas_deploy.experiments.frontier.machine_file import (
    FOLDER,
    MachineResults,
    read_machine,
    write_machine,
)
from bnas_deploy.experiments.running.machine import machine_facts, versions

__all__ = ["measure_machine"]

ROUNDS = {"smoke": 2, "cpu": 30, "paper": 30}
FILES = "files"
PACKAGES = ("onnxruntime", "openvino", "ai-edge-litert")


def measure_machine(
    budget: str, folder: Path, setups: Mapping[str, Setup], say: Callable[[str], None]
) -> None:
    """Measure what this kind of machine has no results of yet, and keep them beside the others'.

    The rivals' files are made with onnx and ONNX Runtime, which must be installed.

    Args:
        budget: One of `BUDGETS`.
        folder: Gets `files/` and `machines/`.
        setups: Of the trained networks, by the names of their variants.
        say: Is told what is done.

    Raises:
        BackendError: This project's engine is not exact, or a process failed.
    """
    wanted = entries(budget, setups)
    for column in here():
        path = folder / FOLDER / f"{column.name}.json"
        if path.exists() and _has_all(read_machine(path), wanted):
            say(f"frontier: {column.label} is measured; delete {path} to measure it again")
            continue
        for entry in wanted:
            if make_files(entry, folder / FILES / entry.key):
                say(f"frontier: made the files of {entry.label}")
        say(f"frontier: measuring {column.label}")
        keys = [entry.key for entry in wanted]
        found = _measured(column, folder / FILES, keys, ROUNDS[budget])
        write_machine(path, _results(column, found, ROUNDS[budget]))


def _has_all(found: MachineResults, wanted: Sequence[Entry]) -> bool:
    """Whether every network was measured, under whatever name."""
    known = [(facts["binary"], facts["network"]) for facts in found.networks.values()]
    return all(
        any(e.binary == binary and same_network(e.config.to_dict(), n) for binary, n in known)
        for e in wanted
    )


def _measured(column: Column, files: Path, keys: Sequence[str], rounds: int) -> dict[str, Any]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **column.environment}
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = [sys.executable, "-m", "bnas_deploy.experiments.frontier.race", column.name]
        command += [str(files), str(rounds), str(result), *keys]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            msg = f"measuring {column.label} failed: {last.removeprefix('error: ')}"
            raise BackendError(msg)
        found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return found


def _results(column: Column, found: dict[str, Any], rounds: int) -> MachineResults:
    return MachineResults(
        column=column.name,
        date=datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat(),
        machine=machine_facts(),
        versions={**versions(), **{name: _version(name) for name in PACKAGES}},
        rounds=rounds,
        networks=found,
    )


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
