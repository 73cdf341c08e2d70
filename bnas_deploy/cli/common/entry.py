"""The frame of every command: arguments, errors as one line, exit statuses."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from bnas_deploy import __version__
from bnas_deploy.cli.common.text import safe
from bnas_deploy.errors import BnasError, UsageError
from bnas_deploy.extras import how_to_install, is_installed
from bnas_deploy.interrupt import STATUS as INTERRUPTED
from bnas_deploy.shown import nearest

__all__ = [
    "INTERRUPTED",
    "USER_ERROR",
    "WARNED",
    "Parser",
    "positive",
    "require",
    "run_cli",
]

USER_ERROR = 2
WARNED = 3
"""Done and written, but the user must look at a warning."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose mistakes are `UsageError`s, so that they end as one line too."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **options)
        self.add_argument("--version", action="version", version=f"bnas-deploy {__version__}")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # noqa: ANN401
        """Parse, after naming options that there are not: else what they leave out is blamed."""
        if self._subparsers is None:  # the command below reads the rest
            self._check_spelling(sys.argv[1:] if args is None else args)
        return super().parse_known_args(args, namespace)

    def _check_spelling(self, words: Sequence[str]) -> None:
        known = self._option_string_actions
        for word in words:
            if word == "--":
                return
            name = word.partition("=")[0]
            is_option = word.startswith("-") and word != "-" and " " not in word
            if not is_option or word[1].isdigit() or any(k.startswith(name) for k in known):
                continue
            if word[1] == "-" or word[:2] not in known:
                self.error(f"unknown option {name}{nearest(name, known)}")

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError` in place of printing the usage and leaving."""
        msg = f"{message} (see {self.prog} --help)"
        raise UsageError(msg)


def positive(text: str) -> int:
    """Read an argument that is a whole number of at least 1 (for argparse's `type`)."""
    if not text.isdecimal() or int(text) < 1:
        msg = f"expected a whole number of at least 1, got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def require(extra: str, *packages: str) -> None:
    """Check that the packages of an extra are installed before they are imported.

    Raises:
        UsageError: Some are not; the message says what to install.
    """
    missing = [name for name in packages if not is_installed(name)]
    if missing:
        msg = f"{' and '.join(missing)} not installed; {how_to_install(extra)}"
        raise UsageError(msg)


def run_cli(command: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None) -> int:
    """Run a command and turn what goes wrong into an exit status.

    Args:
        command: Takes the arguments (None: those of the process) and returns its exit status.
        argv: The arguments without the program's name.

    Returns:
        The command's status; 2 after a `BnasError`, whose lines (nearly always one) are printed on
        stderr, and when memory or disk run out; 130 after an interrupt; 0 when the reader of our
        output has gone away.
    """
    # Pillow's remarks on a picture's metadata are of no use here; what it refuses is an error.
    warnings.filterwarnings("ignore", module="PIL")
    if sys.stdout is None:
        return _failed("standard output is closed; open it, for example with > /dev/null")
    try:
        return command(argv)
    except BnasError as error:
        return _failed(*error.lines)
    except MemoryError:
        # A file may state sizes that are allowed and still too much for this machine.
        return _failed("not enough memory for this network, batch or picture")
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes stdout once more at exit; give it somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # The library names the files that it expects trouble with; a full disk can be anywhere.
        return _failed(_of_system(error))
    except RuntimeError as error:
        reason = _short_of(str(error))
        if reason is None:
            raise
        return _failed(reason)


def _of_system(error: OSError) -> str:
    reason = error.strerror or str(error)
    if error.filename is not None:
        return f"{error.filename}: {reason}"
    return f"a file cannot be read or written: {reason}"


def _short_of(message: str) -> str | None:
    """What to say of a `RuntimeError` that means that the machine has no more of something."""
    if "allocate memory" in message:  # PyTorch has no type for it on a CPU
        return "not enough memory for this network, batch or picture"
    if "start new thread" in message or "Resource temporarily unavailable" in message:
        return "the system allows no more threads (ulimit -u); ask for fewer, or end other programs"
    return None


def _failed(message: str, *more: str) -> int:
    # A file's name may hold newlines and worse; what is wrong is one line all the same.
    print(f"error: {safe(message)}", file=sys.stderr)
    for line in more:
        print(f"  {safe(line)}", file=sys.stderr)
    return USER_ERROR
