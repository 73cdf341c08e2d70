"""Tests of what is said of each step: its kind, and what would make it faster."""

from __future__ import annotations

import numpy as np
from support.program_builder import Builder

from bnas_deploy.converters.eight_bit.facts import KINDS
from bnas_deploy.cost.float_layers import float_layers
from bnas_deploy.format.steps import MaxPool2d
from bnas_deploy.runtime.reasons import reasons


def test_every_kind_of_step_has_its_reason() -> None:
    b = Builder(np.random.default_rng(0), (4, 8, 8))
    x = b.conv2d("image", 4, kernel=3, padding=1)
    x = b.relu(x)
    x = b.conv2d(b.pool(MaxPool2d, x), 4, kernel=1)
    x = b.conv2d(x, 4, groups=4)
    (x,) = b.binary_conv2d(b.binarize(x), 4, stages=("scale",))
    model = b.model(b.linear(b.global_avg_pool(x), 3))
    said = dict(zip((s.OP for s in model.program.steps), reasons(model), strict=True))
    first = reasons(model)[0]
    assert first.endswith("--eight-bit stem makes it an 8-bit step")
    assert "--eight-bit shortcut" in said["conv2d"]
    assert "--eight-bit classifier" in said["linear"]
    assert "no 8-bit step" in said["grouped_conv2d"]
    assert said["binary_conv2d"] == "a binary convolution"
    assert "memory" in said["relu"]
    assert said["relu"] == said["max_pool2d"] == said["global_avg_pool"]


def test_the_kinds_are_those_of_the_option() -> None:
    b = Builder(np.random.default_rng(0), (4, 8, 8))
    x = b.conv2d(b.pool(MaxPool2d, b.conv2d("image", 4)), 4)
    model = b.model(b.linear(x, 3))
    assert set(float_layers(model.program).values()) == set(KINDS)
