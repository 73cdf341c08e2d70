"""Ctrl-C at moments that are hard to hit: each command ends with status 130 and no traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bnas_deploy import engine

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to itself")

SHIPPED = Path(__file__).parents[3] / "models/bnas-mini.bnn"
FRAME = """
import os, signal, sys, time, types
from bnas_deploy import start

def ctrl_c():
    os.kill(os.getpid(), signal.SIGINT)

def command(main):
    sys.modules["bnas_deploy.cli.fake.command"] = types.SimpleNamespace(main=main)
    sys.modules["bnas_deploy.cli.fake"] = types.ModuleType("fake")
    sys.exit(start.start("fake"))
"""
SWALLOWED = """
def main():
    try:
        ctrl_c()
    except KeyboardInterrupt:
        pass
    {then}
command(main)
"""
MOMENTS = {
    "before a command is imported": """
class Finder:
    def find_spec(self, name, path, target=None):
        if name == "bnas_deploy.cli.run.command":
            ctrl_c()
            print("went on")
sys.meta_path.insert(0, Finder())
sys.exit(start.run())
""",
    "swallowed, and the command ends well": SWALLOWED.format(then="return 0"),
    "swallowed, and the command fails": SWALLOWED.format(then="return 2"),
    "swallowed, and the command goes on": SWALLOWED.format(then="time.sleep(600)"),
    "turned into another error": SWALLOWED.format(then="raise ImportError('no module')"),
    "in a call that does not come back": """
import ctypes, threading
def main():
    threading.Timer(0.2, ctrl_c).start()
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # another thread gets it
    ctypes.CDLL(None).usleep(10**9)
    print("came back")
command(main)
""",
    "in a destructor": """
class Held:
    def __del__(self):
        ctrl_c()
def main():
    Held()
    time.sleep(600)
command(main)
""",
    "nothing swallows it": """
def main():
    ctrl_c()
    time.sleep(600)
command(main)
""",
}


def ended(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", FRAME + code, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("code", MOMENTS.values(), ids=MOMENTS)
def test_status_130_and_not_a_word(code: str) -> None:
    done = ended(code)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_what_can_be_finished_is_finished() -> None:
    done = ended("""
from bnas_deploy import interrupt
def main():
    signal.signal(signal.SIGINT, lambda *_: None)
    with interrupt.patient(lambda: True):
        ctrl_c()
        time.sleep(3 * interrupt.GRACE)
    print("saved")
    return 7
command(main)
""")
    assert (done.returncode, done.stdout, done.stderr) == (7, "saved\n", "")


def test_a_second_one_does_not_wait() -> None:
    done = ended("""
from bnas_deploy import interrupt
def main():
    signal.signal(signal.SIGINT, lambda *_: None)
    with interrupt.patient(lambda: True):
        ctrl_c()
        time.sleep(3 * interrupt.GRACE)
        ctrl_c()
        time.sleep(600)
command(main)
""")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_job_in_the_background_ignores_it() -> None:
    done = ended("""
signal.signal(signal.SIGINT, signal.SIG_IGN)
def main():
    ctrl_c()
    return 0
command(main)
""")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_other_errors_are_still_told() -> None:
    done = ended("""
def main():
    raise LookupError("a mistake of ours")
command(main)
""")
    assert done.returncode == 1
    assert "LookupError: a mistake of ours" in done.stderr


@pytest.mark.skipif(engine.available()["native"] is not None, reason="no kernels here")
def test_a_large_batch() -> None:
    code = """
import threading
import numpy as np, bnas_deploy
model = bnas_deploy.load(sys.argv[1], isa="scalar")
images = np.zeros((3000, *model.input_shape), np.float32)  # takes seconds
threading.Timer(0.1, ctrl_c).start()
try:
    model.run(images)
    print("done")
except KeyboardInterrupt:
    print("interrupted")
"""
    done = ended(code, str(SHIPPED))
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")
