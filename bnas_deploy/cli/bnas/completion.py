"""Completion of every command in a shell, written by shtab."""

from __future__ import annotations

from bnas_deploy.cli.bnas.commands import COMMANDS
from bnas_deploy.cli.common.entry import Parser, require

__all__ = ["SHELLS", "completion"]

SHELLS = ("bash", "zsh", "tcsh")


def completion(shell: str) -> str:
    """Return a script that completes `bnas COMMAND` and `bnas-COMMAND`.

    Args:
        shell: One of `SHELLS`.

    Raises:
        UsageError: shtab is not installed.
    """
    require("completion", "shtab")
    import shtab  # noqa: PLC0415 - optional

    parsers = [_whole(), *(command.options() for command in COMMANDS.values())]
    return "\n".join(shtab.complete(parser, shell) for parser in parsers)


def _whole() -> Parser:
    """Return `bnas` with the parser of every command below it, which it does not need to run."""
    parser = Parser(prog="bnas")
    parser.add_argument("--completion", choices=SHELLS, help="print a script for this shell")
    below = parser.add_subparsers(metavar="COMMAND")
    for name, command in COMMANDS.items():
        below.add_parser(name, help=command.summary)
        below.choices[name] = command.options()
    return parser
