"""The Numba backend: runs a program with kernels that Numba compiles.

The first use of a kernel compiles it (seconds, then kept on disk by Numba's cache).
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, SimpleQueue

import numpy as np
import numpy.typing as npt

from bnas_deploy.engine.numba.plan import Array, Plan, Prepared, Workspace, make_plan
from bnas_deploy.engine.runner import (
    Floats,
    KernelUse,
    StepTime,
    check_images,
    check_threads,
    time_steps,
)
from bnas_deploy.errors import BackendError
from bnas_deploy.extras import how_to_install
from bnas_deploy.format.program import PackedModel, Program, Value
from bnas_deploy.format.steps import BinaryConv2d, BinaryGroupedConv2d, Constant, Step
from bnas_deploy.numba_cache import is_compiled

try:
    from llvmlite.binding import get_host_cpu_name

    from bnas_deploy.engine.numba.kernels import binary as binary_kernels
    from bnas_deploy.engine.numba.kernels import byte_counts as byte_count_kernels
    from bnas_deploy.engine.numba.steps import PREPARE
except ImportError as error:
    msg = f"the numba backend needs Numba ({error}); {how_to_install('numba')}"
    raise BackendError(msg) from error

__all__ = ["NumbaRunner"]


class NumbaRunner:
    """Runs a program by Numba kernels; see `bnas_deploy.engine.runner.Runner`.

    Images of a batch are spread over `threads`; each image is computed by one thread, so that the
    number of threads cannot change a result. Several Python threads may call one runner.
    """

    name = "numba"

    def __init__(self, model: PackedModel, *, threads: int = 1) -> None:
        self.isa: str | None = f"llvm:{get_host_cpu_name()}"
        self.threads = check_threads(threads)
        self.note: str | None = _compiling(model.program)
        self.interface = model.interface
        self._program = model.program
        self._steps = [_per_image(step, model) for step in model.program.steps]
        self._constants = [
            PREPARE[step](step, model) for step in model.program.steps if isinstance(step, Constant)
        ]
        self._plan = make_plan(model.program)
        self._spare: SimpleQueue[Workspace] = SimpleQueue()

    def run(self, images: Floats) -> Floats:
        """Logits (N, classes) of float32 images (N, C, H, W)."""
        images = self._check(images)
        logits = np.empty((len(images), self._value(self._program.output).shape[0]), np.float32)
        shares = [range(i, len(images), self.threads) for i in range(self.threads)]
        if min(self.threads, len(images)) <= 1:
            self._run_share(images, logits, range(len(images)))
            return logits
        with ThreadPoolExecutor(self.threads) as pool:
            for done in [pool.submit(self._run_share, images, logits, share) for share in shares]:
                done.result()
        return logits

    def trace(self, images: Floats) -> dict[str, npt.NDArray[np.generic]]:
        """Every value by name, (N, C, H, W) float32, or bool where True is -1."""
        images = self._check(images)
        workspace = self._new_workspace(make_plan(self._program, keep=True))
        values = {
            name: np.empty((len(images), *value.shape), "f4" if value.kind == "f32" else "?")
            for name, value in self._program.values.items()
        }
        for i, image in enumerate(images):
            self._run_image(image, workspace)
            for name, result in values.items():
                result[i] = _plain(workspace[name], self._value(name))
        return dict(values)

    def profile(self, images: Floats, repeats: int) -> list[StepTime]:
        """(index, op, median seconds) of each step, for the whole batch on one thread."""
        images = self._check(images)
        spaces = [self._new_workspace(self._plan) for _ in images]
        steps = self._program.steps

        def run_step(i: int) -> None:
            for image, workspace in zip(images, spaces, strict=True):
                if i == 0:
                    self._load(image, workspace)
                self._steps[i](workspace)

        run_all = range(len(steps))
        for i in run_all:  # compiles, if need be
            run_step(i)
        return time_steps(steps, run_step, repeats)

    def kernels(self) -> list[KernelUse]:
        """The function of each step."""
        return [KernelUse(i, step.OP) for i, step in enumerate(self._program.steps)]

    def limit(self) -> None:
        """Not known: the loop that measures it belongs to the native backend."""

    def memory(self) -> None:
        """Not known: NumPy allocates it."""

    def _value(self, name: str) -> Value:
        return self._program.values[name]

    def _check(self, images: Floats) -> Floats:
        return check_images(images, self._value(self._program.input).shape)

    def _new_workspace(self, plan: Plan) -> Workspace:
        workspace = Workspace(plan)
        for write in self._constants:
            write(workspace)
        return workspace

    @contextmanager
    def _workspace(self) -> Iterator[Workspace]:
        try:
            workspace = self._spare.get_nowait()
        except Empty:
            workspace = self._new_workspace(self._plan)
        try:
            yield workspace
        finally:
            self._spare.put(workspace)

    def _run_share(self, images: Floats, logits: Floats, share: range) -> None:
        with self._workspace() as workspace:
            for i in share:
                self._run_image(images[i], workspace)
                logits[i] = workspace[self._program.output][:, 0]

    def _load(self, image: Floats, workspace: Workspace) -> None:
        target = workspace[self._program.input]
        np.copyto(target, image.reshape(target.shape))

    def _run_image(self, image: Floats, workspace: Workspace) -> None:
        self._load(image, workspace)
        for step in self._steps:
            step(workspace)


def _per_image(step: Step, model: PackedModel) -> Prepared:
    """What a step does for each image; constants are written once into each workspace."""
    return (lambda _: None) if isinstance(step, Constant) else PREPARE[step](step, model)


def _plain(buffer: Array, value: Value) -> Array:
    """A buffer as (C, H, W) float32, or bool where True is -1."""
    c, h, w = value.shape
    if value.kind == "f32":
        return buffer.reshape(value.shape)
    bits = np.unpackbits(buffer[:, : h * w], axis=0, bitorder="little")[:c]
    return bits.astype(np.bool_).reshape(value.shape)


def _compiling(program: Program) -> str | None:
    """A note where the first images will wait for the compiler."""
    binary = any(isinstance(step, BinaryConv2d | BinaryGroupedConv2d) for step in program.steps)
    kernels = byte_count_kernels.leave, byte_count_kernels.mark, binary_kernels.dots
    if not binary or any(is_compiled(kernel) for kernel in kernels):
        return None
    return "the first run compiles the kernels, which takes some seconds; they are kept on disk"
