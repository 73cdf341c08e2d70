"""What every command shares: errors become one line and an exit status. No command's own work."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from bnas_deploy.errors import BnasError, UsageError

__all__ = [
    "INTERRUPTED",
    "USER_ERROR",
    "Parser",
    "run_cli",
]

USER_ERROR = 2
INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """An argument parser whose mistakes are `UsageError`s, so that they end as one line too."""

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError` in place of printing the usage and leaving."""
        msg = f"{message} (see {self.prog} --help)"
        raise UsageError(msg)


def run_cli(command: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None) -> int:
    """Run a command and turn what goes wrong into an exit status.

    Args:
        command: Takes the arguments (None: those of the process) and returns its exit status.
        argv: The arguments without the program's name.

    Returns:
        The command's status; 2 after a `BnasError`, whose message is printed as one line on
        stderr, and when memory runs out; 130 after an interrupt; 0 when the reader of our output
        has gone away.
    """
    try:
        return command(argv)
    except BnasError as error:
        print(f"error: {error}", file=sys.stderr)
        return USER_ERROR
    except MemoryError:
        # A file may state sizes that are allowed and still too much for this machine.
        print("error: not enough memory for this network, batch or picture", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes stdout once more at exit; give it somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
