"""The native backend: hands the bytes of a ``.bnn`` file to the compiled kernels.

Shapes: N batch, C channels, H W pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from bnas_deploy.checks import whole
from bnas_deploy.engine.runner import (
    Floats,
    KernelUse,
    Limit,
    StepTime,
    check_images,
    check_threads,
    steady_clock,
)
from bnas_deploy.errors import BackendError, FormatError, UsageError
from bnas_deploy.format.model_file import ModelFile
from bnas_deploy.format.program import Interface, PackedModel, Preprocessing, Program
from bnas_deploy.shown import unknown_name

try:
    from bnas_deploy import _kernels
except ImportError as error:
    msg = (
        f"the native backend needs the compiled module bnas_deploy._kernels ({error}); "
        "build it with 'pip install .' (needs a C++17 compiler)"
    )
    raise BackendError(msg) from error

__all__ = ["NativeRunner", "best_isa", "isas"]

PEAK_MS, CLOCK_MS = 30, 10


def isas() -> dict[str, list[str]]:
    """Every compiled instruction set, best first, with the features that this machine lacks."""
    return _kernels.isas()


def best_isa() -> str:
    """The best instruction set that this machine can run."""
    return next(name for name, missing in isas().items() if not missing)


def _load(model: PackedModel | ModelFile, isa: str | None) -> _kernels.Model:
    if isa and isa not in isas():
        raise BackendError(unknown_name("instruction set", isa, isas()))
    content, verified = _content(model)
    try:
        return _kernels.load(content, isa=isa or None, verified=verified)
    except _kernels.FormatError as error:
        if isinstance(model, ModelFile):
            _ = model.packed  # refuses the same files, in words that say what the file is instead
            raise model.refused(error) from error
        raise FormatError(str(error)) from error
    except ValueError as error:
        raise BackendError(str(error)) from error


def _content(model: PackedModel | ModelFile) -> tuple[bytes, bool]:
    """The bytes of the file, and whether their checksum is right for sure."""
    if isinstance(model, ModelFile):
        return model.content, False
    if model.file is not None:
        return model.file, True
    from bnas_deploy.format.writer import unchecked_bytes  # noqa: PLC0415 - not needed for files

    # Provenance and cost may hold anything, and the kernels need neither.
    return unchecked_bytes(replace(model, provenance={}, cost={})), True


class NativeRunner:
    """Runs a program by the compiled kernels; see `bnas_deploy.engine.runner.Runner`.

    Images of a batch are spread over `threads`; where there are fewer images than threads, all
    threads share each image. Several Python threads may call one runner; the interpreter's lock is
    released meanwhile.
    """

    name = "native"

    def __init__(
        self, model: PackedModel | ModelFile, *, isa: str | None = None, threads: int = 1
    ) -> None:
        """Repack the weights and plan the memory.

        Args:
            model: Its file where it has one, else it is written to memory first; the kernels'
                reader checks it.
            isa: Instruction set; None for ``BNAS_ISA``, or the best of this machine.
            threads: How many threads share a batch.

        Raises:
            BackendError: `isa` is unknown or this machine cannot run it, `threads` is below 1, or
                the program needs more than the kernels' 16-bit dot products.
            FormatError: The model is not valid.
        """
        self._model = _load(model, isa)
        self.isa: str | None = self._model.isa
        self.threads = check_threads(threads)
        self.note: str | None = None
        self.interface = _interface(self._model)
        self._source = model

    def run(self, images: Floats) -> Floats:
        """Logits (N, classes) of float32 images (N, C, H, W)."""
        return self._model.run(self._check(images), self.threads)

    def trace(self, images: Floats) -> dict[str, npt.NDArray[np.generic]]:
        """Every value of the program by name: (N, C, H, W) float32, or bool where True is -1."""
        images = self._check(images)
        traces = [self._model.trace(images[i : i + 1]) for i in range(len(images))]
        values: dict[str, npt.NDArray[np.generic]] = {}
        for name, value in self._program().values.items():
            dtype = np.bool_ if value.kind == "bits" else np.float32
            rows = [trace[name] for trace in traces]
            values[name] = np.stack(rows) if rows else np.empty((0, *value.shape), dtype)
        return values

    def profile(self, images: Floats, repeats: int) -> list[StepTime]:
        """(index, op, median seconds for all images) of each step over `repeats` runs."""
        images = self._check(images)
        repeats = whole("repeats", repeats, 1)
        singles = [images[i : i + 1] for i in range(len(images))]
        steps = self._program().steps
        runs = [
            sum(map(self._model.profile, singles), np.zeros(len(steps))) for _ in range(repeats)
        ]
        medians = np.median(runs, axis=0)
        return [(i, step.OP, float(medians[i])) for i, step in enumerate(steps)]

    def repeater(self, images: Floats, index: int) -> Callable[[int], None]:
        """Return a function that runs step `index` alone so many times, after a run of one image.

        It is there to measure a step without the others; a step that adds in place adds again.

        Raises:
            UsageError: Not exactly one image, or no such step.
        """
        images, steps = self._check(images), len(self._program().steps)
        if len(images) != 1 or not 0 <= index < steps:
            msg = f"expected one image and a step below {steps}, got {len(images)} and {index}"
            raise UsageError(msg)
        execution = self._model.execution(images)
        return lambda times: execution.repeat(index, times)

    def kernels(self) -> list[KernelUse]:
        """What runs each step, in order; a step that has nothing left to do has no entry."""
        return [
            KernelUse(step, kernel, gather or None, f"{outputs}x{vectors}" if outputs else None)
            for step, kernel, gather, outputs, vectors, _ in self._model.describe()
        ]

    def limit(self) -> Limit:
        """Measure the machine's limit for this instruction set, some 50 ms.

        The clock is measured before and after the loop; see `steady_clock`.
        """
        before = _kernels.clock_rate(CLOCK_MS)
        peak = _kernels.popcount_peak(self._model.isa, PEAK_MS)
        return Limit(peak, steady_clock(before, _kernels.clock_rate(CLOCK_MS)))

    def memory(self) -> dict[str, int]:
        """Bytes: `weights` and `tables` of the model, `context` of each thread that runs.

        A context is the planned `arena` of all values, `scratch` memory, and margins.
        """
        return self._model.memory()

    def _check(self, images: Floats) -> Floats:
        return check_images(images, self.interface.input_shape)

    def _program(self) -> Program:
        source = self._source
        return (source.packed if isinstance(source, ModelFile) else source).program


def _interface(model: _kernels.Model) -> Interface:
    return Interface(model.input_shape, Preprocessing(*model.preprocessing), model.labels)
