"""Standard streams that are closed: a command says so, and no file takes their numbers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="closes streams in a shell")

OPENS = """
import sys, types
from bnas_deploy import start

def main():
    with open(sys.executable, "rb") as file:
        print("number", file.fileno())
    return 0

sys.modules["bnas_deploy.cli.fake.command"] = types.SimpleNamespace(main=main)
sys.modules["bnas_deploy.cli.fake"] = types.ModuleType("fake")
sys.exit(start.start("fake"))
"""


def closed(numbers: list[int], *command: str) -> subprocess.CompletedProcess[str]:
    shell = " ".join(f"{n}>&-" for n in numbers)
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {shell}', "sh", sys.executable, *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )


@pytest.mark.parametrize("numbers", [[0], [2], [0, 2]])
def test_no_file_takes_the_number_of_a_stream(numbers: list[int]) -> None:
    done = closed(numbers, "-c", OPENS)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout.removeprefix("number ")) > 2


def test_no_output() -> None:
    done = closed([1], "-m", "bnas_deploy", "--help")
    assert done.returncode == 2
    assert done.stderr.startswith("error: standard output is closed; ")
    assert len(done.stderr.splitlines()) == 1


def test_errors_are_not_told_as_output() -> None:
    done = closed([2], "-m", "bnas_deploy", "run", "--packed", "nix.bnn", "nix.jpg")
    assert (done.returncode, done.stdout) == (2, "")


def test_no_input() -> None:
    model = Path(__file__).parents[3] / "models/bnas-mini.bnn"
    done = closed([0], "-m", "bnas_deploy", "run", "--packed", str(model), "-")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: standard input is closed")
    assert len(done.stderr.splitlines()) == 1
