"""Ctrl-C and SIGTERM during a long run: its step is finished and saved first."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from bnas_deploy import interrupt

__all__ = ["Stoppable", "stop_on_signals"]


class _Place(Protocol):
    """Where a run stands."""

    epoch: int
    step: int


class Stoppable(Protocol):
    """What stops after its step once `stop` is set."""

    stop: bool

    @property
    def progress(self) -> _Place:
        """Where it stands."""


@contextmanager
def stop_on_signals(run: Stoppable) -> Iterator[None]:
    """Make Ctrl-C and SIGTERM stop a run after its step.

    A second one stops at once, and so does the first while there is nothing new to save.
    """
    begin = _place(run)

    def stop(number: int, frame: FrameType | None) -> None:
        if run.stop or _place(run) == begin:
            raise KeyboardInterrupt
        run.stop = True

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with interrupt.patient(lambda: _place(run) != begin):
            yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _place(run: Stoppable) -> tuple[int, int]:
    return run.progress.epoch, run.progress.step
