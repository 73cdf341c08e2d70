"""Tests of conversion with layers in 8 bits, from PyTorch to the checked program."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.random_networks import random_network

from bnas_deploy.converters import EightBitOptions, convert_network
from bnas_deploy.converters.from_torch.convert import self_check
from bnas_deploy.converters.packing.self_check import MAX_8BIT_ERROR, compare_8bit
from bnas_deploy.cost import full_flops
from bnas_deploy.errors import ConversionError

OPTIONS = EightBitOptions(backend="reference")


def test_the_report_is_of_the_program_in_8_bits() -> None:
    network = random_network(0)
    exact, before = convert_network(network)
    model, report = convert_network(network, eight_bit=OPTIONS)
    size = sum(t.nbytes for t in model.tensors.values())
    assert report.packed_bytes == sum(report.bytes_by_kind.values()) == size < before.packed_bytes
    assert report.steps["quantized_conv2d"] == len(report.eight_bit.layers) > 0
    kept = {k.layer for k in before.kept} - {k.layer for k in report.kept}
    assert kept == {layer.layer for layer in report.eight_bit.layers}
    assert before.eight_bit is None
    assert exact.cost["full_flops"] == full_flops(network.config)
    assert model.cost["full_flops"] == full_flops(network.config, shortcut_bits=8)


def test_the_self_check_compares_the_float_program_strictly_and_then_the_other() -> None:
    network = random_network(0)
    strict = self_check(network, *convert_network(network), backend="reference")[1].self_check
    model, report = convert_network(network, eight_bit=OPTIONS)
    model, report = self_check(network, model, report, backend="reference")
    assert report.self_check == strict
    found = report.eight_bit.agreement
    assert found.relative_error > strict.relative_error
    assert model.provenance["report"]["eight_bit"]["agreement"]["same_answer"] == found.same_answer


def test_a_layer_gone_wrong_fails_the_self_check() -> None:
    network = random_network(0)
    model, report = convert_network(network, eight_bit=OPTIONS)
    name = report.eight_bit.layers[0].layer + ".scale_8bit"
    wrong = replace(model, tensors={**model.tensors, name: -30 * model.tensors[name]})
    with pytest.raises(ConversionError, match=r"--eight-bit none"):
        self_check(network, wrong, report, backend="reference")


def test_the_limit_of_8_bits() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 10)).astype(np.float32)
    noise = rng.standard_normal((50, 10)).astype(np.float32)
    near = compare_8bit(x, x + 0.1 * noise, source="given", backend="b")
    assert near.relative_error < MAX_8BIT_ERROR
    assert near.images == 50
    with pytest.raises(ConversionError, match=r"differs from the float program by 0\.9"):
        compare_8bit(x, x + np.float32(0.95) * noise, source="given", backend="b")
