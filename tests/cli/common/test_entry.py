"""Faults of every command end as one line on stderr and an exit status, never as a traceback."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bnas_deploy import __version__
from bnas_deploy.cli.common.entry import Parser, require, run_cli
from bnas_deploy.errors import FormatError


def fails(error: BaseException) -> Callable[[object], int]:
    def command(_: object) -> int:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (FormatError("model.bnn: truncated"), 2, "error: model.bnn: truncated\n"),
        (FormatError("a\nb\x1b[31m: broken"), 2, "error: a\\nb\\x1b[31m: broken\n"),
        (MemoryError(), 2, "error: not enough memory"),
        (RuntimeError("can't allocate memory: 9\nbytes"), 2, "error: not enough memory"),
        (RuntimeError("can't start new thread"), 2, "error: the system allows no more threads"),
        (RuntimeError("Resource temporarily unavailable"), 2, "error: the system allows no more"),
        (
            OSError(28, "No space left on device", "a.pt"),
            2,
            "error: a.pt: No space left on device\n",
        ),
        (
            OSError(28, "No space left on device"),
            2,
            "error: a file cannot be read or written: No s",
        ),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_faults(
    error: BaseException, status: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_cli(fails(error), []) == status
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(says)
    assert printed.err.count("\n") == (1 if says else 0)


def test_other_exceptions_are_bugs_and_are_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        run_cli(fails(ZeroDivisionError()), [])


def test_wrong_arguments_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    parser = Parser(prog="bnas-example")
    status = run_cli(lambda argv: bool(parser.parse_args(argv)), ["--unknown"])
    assert status == 2
    assert capsys.readouterr().err == (
        "error: unknown option --unknown (see bnas-example --help)\n"
    )


def test_every_command_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        Parser(prog="bnas-example").parse_args(["--version"])
    assert capsys.readouterr().out == f"bnas-deploy {__version__}\n"


def test_a_missing_package_is_named_with_its_extra(capsys: pytest.CaptureFixture[str]) -> None:
    def command(_: object) -> int:
        require("train", "json", "no_such_package")
        return 0

    assert run_cli(command, []) == 2
    assert capsys.readouterr().err == (
        'error: no_such_package not installed; pip install "torch>=2.4" tqdm\n'
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--packd", "x"], "unknown option --packd (did you mean --packed?)"),
        (["--packed=x", "--wrong"], "unknown option --wrong (see"),
        (["-x"], "unknown option -x (see"),
        (["--pack", "x", "-1", "a -b", "--", "--any"], ""),
    ],
)
def test_a_mistyped_option_is_the_one_that_is_named(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = Parser(prog="bnas-example")
    parser.add_argument("--packed", required=True)
    parser.add_argument("rest", nargs="*")
    assert run_cli(lambda argv: bool(parser.parse_args(argv)) - 1, words) == (2 if message else 0)
    assert message in capsys.readouterr().err


def test_errors_in_several_lines(capsys: pytest.CaptureFixture[str]) -> None:
    class Two(FormatError):
        lines = ("a\nb", "c\x1b")

    assert run_cli(fails(Two()), []) == 2
    assert capsys.readouterr().err == "error: a\\nb\n  c\\x1b\n"
