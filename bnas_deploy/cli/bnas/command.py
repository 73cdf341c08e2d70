"""`bnas COMMAND …`: the same as `bnas-COMMAND …`, and the place that lists them all."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from bnas_deploy.cli.bnas.commands import COMMANDS
from bnas_deploy.cli.bnas.completion import SHELLS, completion
from bnas_deploy.cli.common.entry import Parser, run_cli
from bnas_deploy.shown import unknown_name

__all__ = ["bnas_parser", "main"]

_WIDTH = max(map(len, COMMANDS))
DESCRIPTION = """\
Binary networks from training to the limit of the CPU. `bnas COMMAND` is the
same as `bnas-COMMAND`.
"""
EPILOG = "\n".join(
    [
        "commands:",
        *(f"  {name:<{_WIDTH}}  {command.summary}" for name, command in COMMANDS.items()),
        "",
        "`bnas COMMAND --help` explains a command, with examples.",
        "",
        "examples:",
        "  bnas export models/bnas-mini.pt --out model.bnn",
        "  bnas run --packed model.bnn photo.jpg",
        '  eval "$(bnas --completion bash)"     # complete every command with the Tab key',
    ]
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with the given arguments (None: those of the process)."""
    words = sys.argv[1:] if argv is None else list(argv)
    if words and words[0] in COMMANDS:
        return COMMANDS[words[0]].main()(words[1:])
    return run_cli(_bnas, words)


def _bnas(argv: Sequence[str] | None) -> int:
    parser = bnas_parser()
    args = parser.parse_args(argv)
    if args.completion:
        print(completion(args.completion))
        return 0
    if args.command:
        parser.error(unknown_name("command", args.command, COMMANDS))
    parser.print_help()
    return 0


def bnas_parser() -> Parser:
    """Return the parser of `bnas` itself; the rest is read by the command that is named."""
    parser = Parser(
        prog="bnas",
        description=DESCRIPTION,
        epilog=EPILOG,
        usage="bnas COMMAND [OPTION ...]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", nargs="?", metavar="COMMAND", help="see below")
    parser.add_argument(
        "--completion",
        choices=SHELLS,
        metavar="SHELL",
        help="print a script for bash, zsh or tcsh that completes every command (needs shtab)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
