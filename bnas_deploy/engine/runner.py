"""The interface of all backends, and the checks of what they are given."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from bnas_deploy.checks import whole
from bnas_deploy.errors import UsageError
from bnas_deploy.shown import shown

if TYPE_CHECKING:
    from bnas_deploy.format.program import Interface
    from bnas_deploy.format.steps import Step

__all__ = [
    "Floats",
    "KernelUse",
    "Limit",
    "Runner",
    "StepTime",
    "check_images",
    "check_threads",
    "steady_clock",
    "time_steps",
]

MOST_THREADS = 1024
"""Each has memory of its own for the values of an image."""

CLOCK_TOLERANCE = 0.05
"""A core beside others changes its clock by a step of 100 MHz or two as they come and go."""

Floats = npt.NDArray[np.float32]
_FLOAT32 = np.dtype(np.float32)
StepTime = tuple[int, str, float]


@dataclass(frozen=True)
class KernelUse:
    """A kernel that runs a step of a program, or a part of one.

    Attributes:
        step: Index of the step.
        kernel: Name of the kernel.
        gather: How the taps of a window come together: ``direct`` (read where they lie),
            ``shifted`` (loads at an offset, masked at the borders) or ``rows`` (anything else);
            None where there are none, or the backend has one way only.
        tile: Outputs x vectors of pixels that are computed at a time, like ``8x2``, or None.
    """

    step: int
    kernel: str
    gather: str | None = None
    tile: str | None = None


@dataclass(frozen=True)
class Limit:
    """What this machine can do at most at this moment, measured on one thread.

    Attributes:
        binary_macs_per_second: Of a loop of xor, popcount and add on registers.
        cycles_per_second: Of the processor's clock, or None where it is not known for sure.
    """

    binary_macs_per_second: float
    cycles_per_second: float | None


def steady_clock(before: float | None, after: float | None) -> float | None:
    """The mean of two measurements of the clock, or None where they are not within 5%."""
    if not before or not after or abs(before - after) > CLOCK_TOLERANCE * before:
        return None
    return (before + after) / 2


class Runner(Protocol):
    """A loaded program on one backend; all backends give the same bits (docs/format.md).

    Attributes:
        name: Name of the backend.
        isa: Instruction set in use, or None where the backend does not choose one.
        threads: Number of threads that share a batch.
        note: What the caller should know, or None: why this backend runs, where that is not what a
            plain call would give; that the first run takes long.
        interface: What goes in and comes out.
    """

    name: str
    isa: str | None
    threads: int
    note: str | None
    interface: Interface

    def run(self, images: Floats) -> Floats:
        """Logits (N, classes) of normalised images (N, C, H, W).

        Raises:
            UsageError: The images are not a float32 array of that shape.
        """

    def trace(self, images: Floats) -> dict[str, npt.NDArray[np.generic]]:
        """Every value of the program by name: (N, C, H, W) float32, or bool where True is -1.

        Raises:
            UsageError: The images are not a float32 array of that shape.
        """

    def profile(self, images: Floats, repeats: int) -> list[StepTime]:
        """(index, op, median seconds) of each step over `repeats` runs.

        Raises:
            UsageError: The images are not as expected, or `repeats` is below 1.
        """

    def kernels(self) -> list[KernelUse]:
        """What runs each step, in order; a step that has nothing left to do has no entry."""

    def limit(self) -> Limit | None:
        """Measure the machine's limit, some 50 ms; None where the backend cannot."""

    def memory(self) -> dict[str, int] | None:
        """Bytes by what they are for; None where the backend leaves its memory to NumPy."""


def check_images(images: object, shape: tuple[int, int, int]) -> Floats:
    """Check and return `images` as a contiguous, aligned float32 (N, C, H, W) array; N may be 0.

    Raises:
        UsageError: Not an array, another dtype, or another shape than (N, *shape).
    """
    if (
        not isinstance(images, np.ndarray)
        or images.dtype != _FLOAT32
        or images.ndim != 4
        or images.shape[1:] != shape
    ):
        raise _wrong_images(images, shape)
    flags = images.flags  # asked here, as np.require takes microseconds to find nothing to do
    if flags.c_contiguous and flags.aligned:
        return images
    return np.require(images, requirements=("C", "A"))


def _wrong_images(images: object, shape: tuple[int, int, int]) -> UsageError:
    """What to say of images that `check_images` does not take."""
    want = f"images must be a float32 array of shape (N, {', '.join(map(str, shape))})"
    if not isinstance(images, np.ndarray):
        hint = "convert with numpy.asarray(images, 'float32')"
        return UsageError(f"{want}, got {type(images).__name__}; {hint}")
    if images.dtype != _FLOAT32:
        hint = "convert with images.astype('float32')"
        return UsageError(f"{want}, got dtype {images.dtype}; {hint}")
    hint = "; add the batch axis with images[None]" if images.shape == shape else ""
    return UsageError(f"{want}, got shape {images.shape}{hint}")


def check_threads(threads: object) -> int:
    """Return `threads` where it is a positive integer, also one of NumPy's.

    Raises:
        UsageError: It is not, or more than `MOST_THREADS`.
    """
    number = whole("threads", threads, 1)
    if number > MOST_THREADS:
        msg = f"threads must be at most {MOST_THREADS}; got {shown(number)}"
        raise UsageError(msg)
    return number


def time_steps(
    steps: Sequence[Step], run_step: Callable[[int], None], repeats: int
) -> list[StepTime]:
    """Run all steps in order `repeats` times and return the median seconds of each.

    Raises:
        UsageError: `repeats` is below 1.
    """
    repeats = whole("repeats", repeats, 1)
    seconds: list[list[float]] = [[] for _ in steps]
    for _ in range(repeats):
        for i in range(len(steps)):
            start = time.perf_counter()
            run_step(i)
            seconds[i].append(time.perf_counter() - start)
    return [(i, step.OP, float(np.median(seconds[i]))) for i, step in enumerate(steps)]
