"""Tests of the lock on a run's folder."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bnas_deploy.cli.common.run_folder import locked_out
from bnas_deploy.errors import UsageError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be locked there")

HOLDER = """
import pathlib, sys
from bnas_deploy.cli.common.run_folder import locked_out
with locked_out(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_run_is_refused_until_the_first_ends(tmp_path):
    out = tmp_path / "new" / "run"
    with locked_out(out):  # noqa: SIM117 - the inner line is a test of its own
        with pytest.raises(UsageError, match="run: another run is writing there"), locked_out(out):
            pass
    with locked_out(out):
        assert list(out.iterdir()) == []


def test_a_run_that_is_killed_leaves_no_lock(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match="another run"), locked_out(tmp_path):
            pass
        process.kill()
    with locked_out(tmp_path):
        pass


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(UsageError, match="the folder cannot be made"),
        locked_out(tmp_path / "file" / "run"),
    ):
        pass
