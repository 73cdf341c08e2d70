"""Tests of conversion with layers in 8 bits, from PyTorch to the checked program."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.random_networks import random_network

from bnas_deploy.converters import EightBitOptions, convert_network
from bnas_deploy.converters.from_torch.source import network_source
from bnas_deploy.converters.packing import pack
from bnas_deploy.converters.packing.check import CheckOptions, check, check_8bit
from bnas_deploy.converters.packing.compare import MAX_8BIT_ERROR, compare_8bit
from bnas_deploy.cost import full_flops
from bnas_deploy.errors import ConversionError

OPTIONS = EightBitOptions(backend="reference")
CHECK = CheckOptions(backend="reference")


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
    strict = convert_network(network, check=CHECK)[1].self_check
    model, report = convert_network(network, eight_bit=OPTIONS, check=CHECK)
    assert report.self_check == strict
    found = report.eight_bit.agreement
    assert found.relative_error > strict.relative_error
    assert model.provenance["report"]["eight_bit"]["agreement"]["same_answer"] == found.same_answer


def test_a_layer_gone_wrong_fails_the_self_check() -> None:
    network = random_network(0)
    checked = check(network_source(network), convert_network(network)[0], CHECK)
    model, report = convert_network(network, eight_bit=OPTIONS)
    assert check_8bit(checked, model, CHECK).images == 32
    name = report.eight_bit.layers[0].layer + ".scale_8bit"
    wrong = replace(model, tensors={**model.tensors, name: -30 * model.tensors[name]})
    with pytest.raises(ConversionError, match=r"--eight-bit none"):
        check_8bit(checked, wrong, CHECK)


def test_nothing_is_packed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    run = pack.run_pipeline
    monkeypatch.setattr(pack, "run_pipeline", lambda graph: calls.append(graph) or run(graph))
    convert_network(random_network(0), eight_bit=OPTIONS, check=CHECK)
    assert len(calls) == 1


def test_the_limit_of_8_bits() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 10)).astype(np.float32)
    noise = rng.standard_normal((50, 10)).astype(np.float32)
    near = compare_8bit(x, x + 0.1 * noise, source="given", backend="b")
    assert near.relative_error < MAX_8BIT_ERROR
    assert near.images == 50
    with pytest.raises(ConversionError, match=r"differs from the float program by 0\.9"):
        compare_8bit(x, x + np.float32(0.95) * noise, source="given", backend="b")
