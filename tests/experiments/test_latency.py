"""Tests of interleaved timing: who runs when, and what is reported."""

from __future__ import annotations

import numpy as np

from bnas_deploy.experiments.measuring.latency import interleaved


class Fake:
    input_shape = (3, 4, 4)

    def __init__(self, name, log):
        self.name, self.log = name, log

    def run(self, images):
        assert images.shape == (1, 3, 4, 4)
        assert images.dtype == np.float32
        self.log.append(self.name)


def test_all_take_turns_in_an_order_that_rotates():
    log = []
    found = interleaved({name: Fake(name, log) for name in "abc"}, rounds=4)
    turns = ["".join(log[i : i + 3]) for i in range(0, len(log), 3)]
    assert turns == ["abc", "bca", "cab", "abc", "bca", "cab"]
    assert {name: times["rounds"] for name, times in found.items()} == dict.fromkeys("abc", 4)
    assert all(times["ms"] >= 0 <= times["iqr_ms"] for times in found.values())
