"""Tests of the accounting: the paper's tables, and the parameters of the real modules."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bnas_deploy import cost
from bnas_deploy.nn.config import CONFIGS
from bnas_deploy.nn.genotype import GENOTYPES, LATEST_CELL, Genotype

A = CONFIGS["A"]
A_WITHOUT_ZEROISE = replace(A, name="A w/o Zeroise", genotype=LATEST_CELL)
MINI = CONFIGS["Mini"]
NETWORKS = {**CONFIGS, "A w/o Zeroise": A_WITHOUT_ZEROISE}

COUNTED = {
    "Mini": 0.044e8, "A": 0.139e8, "A w/o Zeroise": 0.352e8, "B": 0.261e8, "C": 0.875e8,
    "D": 1.44e8, "E": 1.62e8, "F": 1.76e8, "G": 1.86e8, "H": 6.18e8,
}  # fmt: skip
PRINTED_IN_THE_PAPER = {
    "Mini": 0.04e8, "A": 0.14e8, "A w/o Zeroise": 0.36e8, "B": 0.27e8, "C": 0.90e8,
    "D": 1.48e8, "E": 1.63e8, "F": 1.78e8, "G": 1.93e8, "H": 6.56e8,
}  # fmt: skip


def near(value: float, *, rel: float = 0.01) -> object:
    return pytest.approx(value, rel=rel)


@pytest.mark.parametrize("name", COUNTED)
def test_paper_flops(name: str) -> None:
    assert cost.paper_flops(NETWORKS[name]) == near(COUNTED[name])


@pytest.mark.parametrize("name", PRINTED_IN_THE_PAPER)
def test_paper_flops_against_the_printed_tables(name: str) -> None:
    # The tables round to two digits and are themselves up to 6% above what the layers add up to.
    assert cost.paper_flops(NETWORKS[name]) == near(PRINTED_IN_THE_PAPER[name], rel=0.12)


@pytest.mark.parametrize(("network", "expected"), [(A, 148.5), (A_WITHOUT_ZEROISE, 58.6)])
def test_paper_speedup(network: object, expected: float) -> None:
    assert cost.speedup(network, over=A_WITHOUT_ZEROISE) == near(expected)


@pytest.mark.parametrize(("network", "expected"), [(A, 91.2), (A_WITHOUT_ZEROISE, 31.4)])
def test_paper_memory_saving(network: object, expected: float) -> None:
    assert cost.memory_saving(network, over=A_WITHOUT_ZEROISE) == near(expected)


def test_full_accounting() -> None:
    layers = cost.network_layers(A)
    assert sum(layer.macs for layer in layers if layer.kind == "binary") == near(697e6)
    assert sum(layer.macs for layer in layers if layer.kind == "shortcut") == near(85e6)
    assert cost.full_flops(A) == near(0.99e8)
    assert cost.speedup(A, over=A_WITHOUT_ZEROISE, full=True) == near(21.7)
    assert cost.memory_saving(A, over=A_WITHOUT_ZEROISE, full=True) == near(14.9)


@pytest.mark.parametrize(
    ("network", "parameters"), [(A, 5_578_252), (A_WITHOUT_ZEROISE, 15_115_516), (MINI, 1_473_784)]
)
def test_full_float_memory_is_the_published_number_of_parameters(
    network: object, parameters: int
) -> None:
    assert cost.memory_bits(network, binary=False, full=True) == 32 * parameters


def test_8_bit_shortcut_saves_three_quarters_of_the_shortcut_weights() -> None:
    weights = sum(x.weights for x in cost.network_layers(A) if x.kind == "shortcut")
    saved = cost.memory_bits(A, full=True) - cost.memory_bits(A, full=True, shortcut_bits=8)
    assert saved == 24 * weights
    saving = cost.memory_saving(A, over=A_WITHOUT_ZEROISE, full=True, shortcut_bits=8)
    assert saving > cost.memory_saving(A, over=A_WITHOUT_ZEROISE, full=True)


WITH_POOL1X1 = replace(A, shortcut="pool1x1")
WITH_BINARY = replace(A, shortcut="binary")
WITH_POOL = replace(A, shortcut="pool")


@pytest.mark.parametrize(
    ("network", "bits", "flops", "speedup", "saving"),
    [
        (A, 8, 0.988e8, 21.7, 38.3),
        (WITH_POOL1X1, 32, 0.351e8, 61.1, 38.3),
        (WITH_POOL1X1, 8, 0.351e8, 61.1, 63.1),
        (WITH_BINARY, 32, 0.152e8, 141.2, 71.1),
        (WITH_POOL, 32, 0.139e8, 154.7, 81.0),
    ],
)
def test_cheaper_shortcuts_in_full(
    network: object, bits: int, flops: float, speedup: float, saving: float
) -> None:
    assert cost.full_flops(network) == near(flops)
    assert cost.speedup(network, over=A_WITHOUT_ZEROISE, full=True) == near(speedup)
    got = cost.memory_saving(network, over=A_WITHOUT_ZEROISE, full=True, shortcut_bits=bits)
    assert got == near(saving)


def test_a_1x1_shortcut_has_a_quarter_of_weights_and_operations() -> None:
    for own, quarter in zip(
        [x for x in cost.network_layers(A) if x.kind == "shortcut"],
        [x for x in cost.network_layers(WITH_POOL1X1) if x.kind == "shortcut"],
        strict=True,
    ):
        assert (own.weights, own.macs) == (4 * quarter.weights, 4 * quarter.macs)
        assert (own.name, own.biases, own.norm_params) == (
            quarter.name,
            quarter.biases,
            quarter.norm_params,
        )


def test_a_pooled_shortcut_has_nothing_but_its_batch_norm() -> None:
    layers = [x for x in cost.network_layers(WITH_POOL) if x.kind == "shortcut"]
    assert [(x.macs, x.weights, x.biases) for x in layers] == [(0, 0, 0)] * 2
    assert [x.norm_params for x in layers] == [2 * 4 * 36, 2 * 4 * 72]
    assert cost.paper_flops(WITH_POOL) == cost.paper_flops(A) == cost.full_flops(WITH_POOL)


def test_a_binary_shortcut_counts_as_binary_and_not_in_the_papers_figures() -> None:
    own = [x for x in cost.network_layers(WITH_BINARY) if x.name.endswith("preprocess_res")]
    full = [x for x in cost.network_layers(A) if x.kind == "shortcut"]
    assert [x.kind for x in own] == ["binary_shortcut"] * 2
    assert [(x.macs, x.weights) for x in own] == [(x.macs, x.weights) for x in full]
    assert [x.biases for x in own] == [0, 0]
    assert cost.paper_flops(WITH_BINARY) == cost.paper_flops(A)
    extra = cost.full_flops(WITH_BINARY) - cost.paper_flops(WITH_BINARY)
    assert extra == pytest.approx(sum(x.macs for x in own) / 64, rel=1e-12)
    assert cost.memory_bits(WITH_BINARY) == cost.memory_bits(A)


def test_without_skips_there_is_no_shortcut_to_count() -> None:
    without = replace(A, skips=False)
    assert cost.full_flops(without) == cost.paper_flops(without) == cost.paper_flops(A)


def test_a_separable_convolution_counts_its_two_parts() -> None:
    edges = (("bin_sep_conv_3x3", 0), ("bin_double_sep_conv_5x5", 1), *[("none", 0)] * 6)
    config = replace(MINI, layers=3, channels=4, genotype=Genotype(edges, edges))
    own = [x for x in cost.network_layers(config) if x.name.startswith("cells.0.ops")]
    assert [x.weights for x in own] == [4 * 9, 16, 4 * 25, 16, 4 * 25, 16]
    assert [x.macs for x in own] == [32 * 32 * x.weights for x in own]


def test_an_8_bit_shortcut_mac_is_an_eighth_of_a_flop() -> None:
    macs = sum(x.macs for x in cost.network_layers(A) if x.kind == "shortcut")
    saved = cost.full_flops(A) - cost.full_flops(A, shortcut_bits=8)
    assert saved == pytest.approx(macs * 7 / 8, rel=1e-12)
    fast = cost.speedup(A, over=A_WITHOUT_ZEROISE, full=True, shortcut_bits=8)
    assert fast > 3 * cost.speedup(A, over=A_WITHOUT_ZEROISE, full=True)


def test_float_flops_count_every_mac_once() -> None:
    layers = cost.network_layers(MINI)
    assert cost.float_flops(MINI, full=True) == sum(layer.macs for layer in layers)
    shortcut = sum(layer.macs for layer in layers if layer.kind == "shortcut")
    assert cost.float_flops(MINI, full=True) - cost.float_flops(MINI) == shortcut > 0


def test_first_cell_has_no_shortcut_even_where_it_is_a_reduction() -> None:
    small = replace(MINI, name="small", layers=3)
    assert small.reductions == (1, 2)
    shortcuts = [x.name for x in cost.network_layers(small) if x.kind == "shortcut"]
    assert shortcuts == ["cells.1.preprocess_res", "cells.2.preprocess_res"]


@pytest.mark.parametrize(
    "config",
    [
        replace(MINI, layers=6, channels=4),
        replace(MINI, layers=6, channels=4, genotype=LATEST_CELL),
        replace(CONFIGS["D"], layers=6, channels=4, classes=7, image_size=64),
        replace(MINI, layers=6, channels=4, shortcut="pool1x1"),
        replace(MINI, layers=6, channels=4, shortcut="binary"),
        replace(CONFIGS["D"], layers=6, channels=4, image_size=64, shortcut="pool"),
        replace(MINI, layers=6, channels=4, skips=False),
        replace(MINI, layers=6, channels=4, widths=(4, 7, 6), reduce_at=(0, 1)),
        replace(CONFIGS["D"], layers=6, channels=4, widths=(4, 5, 9), reduce_at=(1, 5)),
        *(replace(MINI, layers=6, channels=5, genotype=cell) for cell in GENOTYPES.values()),
    ],
    ids=[
        "zeroise",
        "no zeroise",
        "imagenet",
        "pool1x1",
        "binary",
        "pool",
        "no skip",
        "widths",
        "widths of imagenet",
        *GENOTYPES,
    ],
)
def test_parameters_are_those_of_the_torch_network(config: object) -> None:
    pytest.importorskip("torch")
    from bnas_deploy.nn.network import build_network

    own = [
        layer.weights + layer.biases + layer.norm_params for layer in cost.network_layers(config)
    ]
    assert sum(own) == sum(p.numel() for p in build_network(config).parameters())
