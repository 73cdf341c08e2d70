"""Tests of the step-by-step count against sums worked out by hand on small programs."""

from __future__ import annotations

import json

import numpy as np
from support.program_builder import Builder
from support.random_programs import conv_program

from bnas_deploy import cost
from bnas_deploy.nn.config import CONFIGS


def one(model: object, op: str) -> cost.StepCost:
    (found,) = [c for c in cost.program_cost(model.program, model.tensors) if c.op == op]
    return found


def test_binary_convolution_counts_real_bits_not_words() -> None:
    rng = np.random.default_rng(1)
    model = conv_program(rng, channels=37, out_channels=5, height=6, width=4, stages=("scale",))
    found = one(model, "binary_conv2d")
    assert found.binary_macs == 5 * 6 * 4 * 9 * 37
    assert found.float_macs == 0
    assert found.shape == (5, 6, 4)
    assert found.bytes == 5 * 8 * -(-9 * 37 // 64) + 5 * 4


def test_a_stage_with_an_addend_does_not_inflate_the_convolution() -> None:
    b = Builder(np.random.default_rng(2), (8, 3, 3))
    b.binary_conv2d(b.binarize("image"), 5, stages=("scale_add",))
    model = b.finish()
    costs = cost.program_cost(model.program, model.tensors)
    last = [c for c in costs if c.op == "binary_conv2d"][-1]
    assert last.shape == (5, 3, 3)
    assert last.binary_macs == 5 * 9 * 9 * 8


def test_float_steps() -> None:
    b = Builder(np.random.default_rng(3), (3, 8, 6))
    b.linear(b.conv2d("image", 4, kernel=3, stride=2, padding=1), 7)
    model = b.model("v2")
    conv, linear = cost.program_cost(model.program, model.tensors)
    assert (conv.float_macs, conv.binary_macs, conv.bytes) == (4 * 3 * 9 * 4 * 3, 0, (108 + 4) * 4)
    assert linear.float_macs == 7 * 4 * 4 * 3


def test_eight_bit_steps() -> None:
    b = Builder(np.random.default_rng(3), (3, 8, 6))
    b.quantized_conv2d("image", 4, kernel=3, stride=2, padding=1)
    model = b.finish()
    found = one(model, "quantized_conv2d")
    assert (found.float_macs, found.binary_macs) == (0, 0)
    assert found.eight_bit_macs == 4 * 3 * 9 * 4 * 3
    assert found.bytes == 4 * 3 * 9 + 4 * (4 + 4) + 4 * (3 + 3)
    summary = cost.cost_summary(model.program, model.tensors)
    assert summary["eight_bit_macs"] == found.eight_bit_macs
    assert summary["flops"] == found.eight_bit_macs / 8 + summary["float_macs"]
    assert summary["bytes"]["I8"] == 4 * 3 * 9


def test_the_papers_figures_count_shortcuts_in_8_bits() -> None:
    summary = cost.paper_figures(CONFIGS["A"], shortcut_bits=8)
    assert summary["full_flops"] == cost.full_flops(CONFIGS["A"], shortcut_bits=8)
    assert summary["full_flops"] < cost.full_flops(CONFIGS["A"])


def test_bytes_add_up_to_the_file_and_shared_tensors_count_once() -> None:
    b = Builder(np.random.default_rng(4), (3, 4, 4))
    first = b.affine("image")
    step = b.steps[-1]
    second = b.value("f32", b.shape(first))
    b.steps.append(type(step)(first, second, step.scale, step.shift))
    model = b.finish()
    costs = cost.program_cost(model.program, model.tensors)
    assert costs[0].bytes == 24
    assert costs[1].bytes == 0
    assert sum(c.bytes for c in costs) == sum(t.nbytes for t in model.tensors.values())


def test_summary_is_plain_json_and_totals_the_steps() -> None:
    model = conv_program(np.random.default_rng(5), channels=9, out_channels=3, height=4, width=4)
    summary = cost.cost_summary(model.program, model.tensors)
    costs = cost.program_cost(model.program, model.tensors)
    assert json.loads(json.dumps(summary)) == summary
    assert summary["binary_macs"] == sum(c.binary_macs for c in costs)
    assert summary["flops"] == summary["binary_macs"] / 64 + summary["float_macs"]
    assert sum(summary["bytes"].values()) == sum(t.nbytes for t in model.tensors.values())
    figures = cost.paper_figures(CONFIGS["A"])
    assert figures["paper_flops"] == cost.paper_flops(CONFIGS["A"])
    assert figures["full_flops"] == cost.full_flops(CONFIGS["A"])


def test_a_depthwise_convolution_counts_one_channel_an_output() -> None:
    b = Builder(np.random.default_rng(0), (9, 8, 8))
    b.binary_depthwise_conv2d(b.binarize("image"), stages=("threshold",))
    step = one(b.finish(), "binary_depthwise_conv2d")
    assert step.shape == (9, 8, 8)
    assert (step.binary_macs, step.eight_bit_macs, step.float_macs) == (9 * 9 * 64, 0, 0)
    assert step.bytes == 9 * 8 + 9 * 4 + 8
