"""The native backend and its process: forked children, threads asleep at the end.

Each case is a process of its own, since a fault here is one that never ends.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

START = """
import os, sys, warnings
warnings.simplefilter("ignore")  # newer Pythons warn of any fork beside threads
import numpy as np
from support.random_programs import random_images, random_program
from bnas_deploy.engine.native.backend import NativeRunner
model = random_program(np.random.default_rng(7))
images = random_images(np.random.default_rng(8), model, 8)
runner = NativeRunner(model, threads=4)
want = runner.run(images[:2])
"""
FORK = """
child = os.fork()
if child == 0:
    for n in (2, 8, 8, 2):
        got = runner.run(images[:n])
    if not np.array_equal(got, want):
        os._exit(3)
    del runner
    os._exit(0)
_, status = os.waitpid(child, 0)
if not np.array_equal(runner.run(images)[:2], want):
    sys.exit(4)
sys.exit(os.waitstatus_to_exitcode(status))
"""
FORK_UNUSED = "import gc\nif os.fork() == 0:\n    del runner\n    gc.collect()\n    os._exit(0)\n"
REAP = "sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))\n"
BUSY_FORK = """
import threading
done = threading.Event()
def work():
    while not done.is_set():
        runner.run(images)
worker = threading.Thread(target=work)
worker.start()
codes = []
for _ in range(20):
    child = os.fork()
    if child == 0:
        os._exit(0 if np.array_equal(runner.run(images)[:2], want) else 3)
    codes.append(os.waitpid(child, 0)[1])
done.set()
worker.join()
sys.exit(any(codes))
"""
CASES = {
    "ends with threads asleep": "keep = sys.modules['kept'] = runner\n",
    "a child runs on": FORK,
    "a child drops it": FORK_UNUSED + REAP,
    "children of a busy parent": BUSY_FORK,
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("case", CASES)
def test_a_process_ends(case: str) -> None:
    paths = [str(Path(__file__).parents[1]), *sys.path]
    done = subprocess.run(
        [sys.executable, "-c", START + CASES[case]],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        timeout=120,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
