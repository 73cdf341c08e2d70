"""Measures one column: every engine on every network, in turns, pinned to one core.

It runs as a process of its own (`python -m` this module), so that an instruction set can be forced
before an engine is loaded. It needs files only, no PyTorch.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bnas_deploy import atomic, engine
from bnas_deploy.errors import BackendError, BnasError
from bnas_deploy.experiments.frontier.columns import COLUMNS, Column
from bnas_deploy.experiments.frontier.files import CHECK, ENTRY, PACKED
from bnas_deploy.format import read
from bnas_deploy.rivals.answers import correlation, difference
from bnas_deploy.rivals.files import FILE_ENGINES, load, missing
from bnas_deploy.rivals.turns import Contestant, race

__all__ = ["OWN", "measure", "start"]

OWN = "packed"
"""What this project's engine is called among the others."""


@dataclass
class _Network:
    """A network with its folder, and what is found out about it."""

    key: str
    folder: Path
    facts: dict[str, Any]
    pictures: npt.NDArray[np.float32]
    right: npt.NDArray[np.float32]
    contestants: list[Contestant] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path) -> _Network:
        entry = json.loads((folder / ENTRY).read_text(encoding="utf-8"))
        facts = {name: entry[name] for name in ("label", "binary", "network")}
        facts |= {"bytes": {}, "times": {}, "differences": {}, "correlations": {}}
        facts |= {"kernels": {}, "left_out": {}}
        with np.load(folder / CHECK) as check:
            return cls(folder.name, folder, facts, check["pictures"], check["right"])

    def enter(self, name: str, call: Callable[[], object]) -> None:
        """Add a contestant."""
        self.contestants.append(Contestant(f"{self.key}/{name}", call))


def measure(folder: Path, keys: Sequence[str], column: Column, rounds: int) -> dict[str, Any]:
    """Check every answer, then let all take turns.

    Args:
        folder: Has a folder of files for each network.
        keys: Names of the networks.
        column: Which instruction set, and which engines.
        rounds: How many turns.

    Returns:
        Of each network: label, configuration, bytes of each file, and by engine `ms`, `iqr_ms` and
        `calls`, how exact its answers were, kernels, and why it was left out.

    Raises:
        BackendError: This project's engine is not exact.
    """
    networks = [_Network.of(folder / key) for key in keys]
    for network in networks:
        if network.facts["binary"]:
            _enter_own(network, column)
        else:
            _enter_rivals(network, column)
    seconds = race([c for network in networks for c in network.contestants], rounds)
    for name, times in seconds.items():
        key, _, runner = name.rpartition("/")
        (network,) = [n for n in networks if n.key == key]
        network.facts["times"][runner] = _summary(times)
    return {network.key: network.facts for network in networks}


def _enter_own(network: _Network, column: Column) -> None:
    """The best backend; it must give the reference's bits."""
    path = network.folder / PACKED
    runner = engine.create(read(path), isa=column.isa)
    if not np.array_equal(runner.run(network.pictures), network.right):
        msg = f"{network.key}: {runner.name} {runner.isa} does not give the reference's bits"
        raise BackendError(msg)
    network.facts["bytes"][PACKED] = path.stat().st_size
    network.facts["kernels"][OWN] = {str(runner.isa): 1}
    image = network.pictures[:1]
    network.enter(OWN, lambda: runner.run(image))


def _enter_rivals(network: _Network, column: Column) -> None:
    """Those whose answers are near PyTorch's; the others are left out with the reason."""
    facts = network.facts
    for path in sorted(network.folder.iterdir()):
        if path.suffix in (".onnx", ".tflite"):
            facts["bytes"][path.name] = path.stat().st_size
    for name in column.rivals:
        file = FILE_ENGINES[name].file
        reason = missing(name)
        if not reason and file not in facts["bytes"]:
            reason = f"{file} was not made"
        if not reason:
            reason = _entered(network, name, column)
        if reason:
            facts["left_out"][name] = reason


def _entered(network: _Network, name: str, column: Column) -> str:
    """Enter a rival, or return why not."""
    rival = FILE_ENGINES[name]
    try:
        loaded = load(name, (network.folder / rival.file).read_bytes())
    except BackendError as error:
        return str(error)
    stronger = [k for k in loaded.kernels if any(part in k for part in column.forbidden)]
    if stronger:
        return f"it runs {', '.join(stronger)} although {column.isa} is forced"
    answers = np.concatenate([loaded.run(picture[None]) for picture in network.pictures])
    fault = rival.fault(answers, network.right)
    if fault:
        return fault
    if rival.int8:
        network.facts["correlations"][name] = round(correlation(answers, network.right), 4)
    else:
        network.facts["differences"][name] = round(difference(answers, network.right), 7)
    network.facts["kernels"][name] = dict(loaded.kernels)
    network.enter(name, loaded.handed(network.pictures[:1]))
    return ""


def _summary(seconds: Sequence[float]) -> dict[str, float]:
    low, middle, high = 1e3 * np.percentile(seconds, [25, 50, 75])
    return {"ms": round(middle, 5), "iqr_ms": round(high - low, 5), "calls": len(seconds)}


def start(argv: Sequence[str] | None = None) -> int:
    """Measure as a process: a column's name, the folder, the rounds, the result, the networks."""
    parser = argparse.ArgumentParser(description="measure one column of the frontier")
    parser.add_argument("column", choices=COLUMNS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("rounds", type=int)
    parser.add_argument("result", type=Path)
    parser.add_argument("keys", nargs="+")
    args = parser.parse_args(argv)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    try:
        found = measure(args.folder, args.keys, COLUMNS[args.column], args.rounds)
    except BnasError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    atomic.write_text(args.result, json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(start())
