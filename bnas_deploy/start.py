"""Where the console scripts begin, so that Ctrl-C and closed streams end a command in order.

Each name is a command's: `bnas-train` calls `train()`, which returns the exit status.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from importlib import import_module

from bnas_deploy import interrupt

__all__ = [
    "bnas",
    "export",
    "import_model",
    "inspect",
    "latency",
    "report",
    "run",
    "search",
    "serve",
    "start",
    "train",
]


def start(command: str) -> int:
    """Run a command with the arguments of the process.

    Args:
        command: Name of its folder in `bnas_deploy.cli`.

    Returns:
        Its exit status.
    """
    interrupt.at_once()
    _open_what_is_closed()
    try:
        main = import_module(f"bnas_deploy.cli.{command}.command").main
    except (MemoryError, OSError) as error:  # as under ulimit -v
        reason = str(error) or "MemoryError"
        print(f"error: {command} cannot be loaded here: {reason}", file=sys.stderr)  # noqa: T201
        return 2
    interrupt.orderly()
    status: int = main()
    return interrupt.STATUS if interrupt.happened() else status


def _open_what_is_closed() -> None:
    """Take the numbers of closed standard streams, which the next file would get otherwise."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    if sys.stderr is None:  # print would write to stdout
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 - to the end of the process


bnas = partial(start, "bnas")
export = partial(start, "export")
import_model = partial(start, "import_model")
inspect = partial(start, "inspect")
latency = partial(start, "latency")
report = partial(start, "report")
run = partial(start, "run")
search = partial(start, "search")
serve = partial(start, "serve")
train = partial(start, "train")
