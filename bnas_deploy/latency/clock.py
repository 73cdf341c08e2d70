"""Measures packed models on the native engine: in turns, the least of medians of short blocks.

A median takes no notice of single interruptions, the least of several, spread over the whole
measurement, none of the seconds in which other programs slow the processor down.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bnas_deploy import __version__, engine

if TYPE_CHECKING:
    from bnas_deploy.engine.runner import Runner
    from bnas_deploy.format import PackedModel

__all__ = ["Times", "is_this_machine", "machine", "measure_in_turns"]

BLOCK = 9
"""Runs of a block."""


class Times:
    """What was measured of a model so far; all in seconds, for one image on one thread.

    Attributes:
        run: Of a whole run.
        steps: Of each step, in order.
    """

    def __init__(self, model: PackedModel) -> None:
        self._runner: Runner = engine.create(model, backend="native", threads=1)
        shape = model.program.values[model.program.input].shape
        self._image = np.random.default_rng(0).standard_normal((1, *shape), dtype=np.float32)
        self.run = float("inf")
        self.steps: npt.NDArray[np.float64] = np.full(len(model.program.steps), np.inf)

    def measure(self) -> None:
        """Measure a block of runs, and one of runs whose steps are timed."""
        seconds = []
        for _ in range(BLOCK):
            started = time.perf_counter()
            self._runner.run(self._image)
            seconds.append(time.perf_counter() - started)
        self.run = min(self.run, float(np.median(seconds)))
        steps = np.array([s for _, _, s in self._runner.profile(self._image, BLOCK)])
        self.steps = np.minimum(self.steps, steps)


def measure_in_turns(
    models: Sequence[PackedModel],
    *,
    rounds: int,
    tell: Callable[[int], None] = lambda done: None,
) -> list[Times]:
    """Measure models in turns.

    Args:
        models: Packed ones.
        rounds: How many blocks of each.
        tell: Is called with the number of rounds done.

    Raises:
        BackendError: The native engine is not available.
    """
    times = [Times(model) for model in models]
    for done in range(rounds):
        for one in times:
            one.measure()
        tell(done + 1)
    return times


def is_this_machine(facts: Mapping[str, str]) -> bool:
    """Whether times of a machine can be measured here; not without the native engine."""
    return engine.available()["native"] is None and dict(machine()) == dict(facts)


def machine() -> Mapping[str, str]:
    """Return what times depend on: processor, instruction set in use, the engine.

    Versions may have other kernels between two releases, so the compiled module has a checksum.

    Raises:
        BackendError: The native engine is not available.
    """
    # Imported late: it needs the compiled module.
    from bnas_deploy import _kernels  # noqa: PLC0415
    from bnas_deploy.engine.native.backend import best_isa  # noqa: PLC0415

    cpu = engine.describe()["cpu"]
    isa = engine.describe()["environment"]["BNAS_ISA"]
    return {
        "cpu": cpu["model"],
        "architecture": cpu["architecture"],
        "isa": best_isa() if isa == "not set" else isa,
        "bnas_deploy": __version__,
        "kernels": hashlib.sha256(Path(_kernels.__file__).read_bytes()).hexdigest()[:12],
    }
