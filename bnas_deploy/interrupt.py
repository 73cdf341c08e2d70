"""Ctrl-C ends a command at any moment: in imports, in long calls, where a library swallows it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

__all__ = ["STATUS", "at_once", "happened", "orderly", "patient"]

STATUS = 130
"""What shells call an end by Ctrl-C."""
GRACE = 0.4
"""Seconds for an orderly end."""

_seen = threading.Event()
_waits: list[Callable[[], bool]] = []
"""Whether to leave an end by Ctrl-C to what runs; the last one counts."""


def at_once() -> None:
    """Let Ctrl-C end the process where it stands: for imports, which have nothing to tidy up.

    Where Ctrl-C was switched off, as in a shell's background jobs, it stays so.
    """
    if _is_ours(signal.getsignal(signal.SIGINT)):
        signal.signal(signal.SIGINT, _leave)


def orderly() -> None:
    """Let Ctrl-C raise `KeyboardInterrupt`, and end the process if that does not within `GRACE`.

    Imports of some libraries swallow the exception, and a long call of compiled code comes back to
    the interpreter late.
    """
    if not _is_ours(signal.getsignal(signal.SIGINT)):
        return
    sys.excepthook, sys.unraisablehook = _uncaught, _ignored
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    watcher = threading.Thread(target=_end_late, args=(reader,), daemon=True)
    with suppress(RuntimeError):  # the system may allow no more threads
        watcher.start()
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, _interrupted)


def happened() -> bool:
    """Whether an orderly end was asked for, whatever became of the exception."""
    return _seen.is_set()


@contextmanager
def patient(waits: Callable[[], bool]) -> Iterator[None]:
    """Run a block that answers Ctrl-C in its own time, for example when its step is saved.

    Args:
        waits: Whether it has something to finish. A second Ctrl-C does not wait for it.
    """
    _waits.append(waits)
    try:
        yield
    finally:
        _waits.pop()


def _is_ours(handler: object) -> bool:
    return handler in (signal.default_int_handler, _leave)


def _interrupted(*_: object) -> None:
    _seen.set()
    raise KeyboardInterrupt


def _leave(*_: object) -> None:
    os._exit(STATUS)


def _end_late(reader: int) -> None:
    asked = 0
    while numbers := os.read(reader, 64):
        asked += signal.SIGINT in numbers
        if signal.SIGINT in numbers:
            time.sleep(GRACE)
            if asked > 1 or not (_waits and _waits[-1]()):
                _leave()


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if happened():  # an import that is broken off may end in any other error
        _leave()
    sys.__excepthook__(kind, error, trace)


def _ignored(args: UnraisableHookArgs) -> None:
    """End where the interpreter would go on: an interrupt cannot leave a destructor."""
    if isinstance(args.exc_value, KeyboardInterrupt):
        _leave()
    sys.__unraisablehook__(args)
