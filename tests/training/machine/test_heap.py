"""Tests that freed memory is kept for the next step, in a process of its own."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import numpy as np
from bnas_deploy.training.machine.heap import keep_freed_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def touch():
    before = faults()
    np.full(64 << 20, 1, np.uint8)
    return faults() - before

told = keep_freed_memory() if sys.argv[1] == "kept" else None
touch()
print(told, min(touch() for _ in range(3)))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_a_block_that_was_freed_costs_no_fresh_pages():
    found = {}
    for way in ("kept", "plain"):
        words = [sys.executable, "-c", PROGRAM, way]
        run = subprocess.run(words, capture_output=True, text=True, check=True)
        found[way] = run.stdout.split()
    assert (found["kept"][0], found["plain"][0]) == ("True", "None")
    # Of 64 MiB: 32 pages if they are huge, 16,384 if not.
    assert int(found["kept"][1]) < 16 <= int(found["plain"][1])


def test_other_systems_are_left_alone(monkeypatch):
    from bnas_deploy.training.machine.heap import keep_freed_memory

    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_freed_memory()
