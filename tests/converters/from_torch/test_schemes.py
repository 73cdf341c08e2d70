"""Every scheme from PyTorch to the packed program: float cells, no skips, the activation scale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from support.random_networks import images_for, random_network, scramble

from bnas_deploy import engine
from bnas_deploy.converters import convert_network
from bnas_deploy.converters.eight_bit.facts import EightBitOptions
from bnas_deploy.converters.from_torch.network import network_graph
from bnas_deploy.converters.graph.evaluate import evaluate
from bnas_deploy.converters.packing.check import CheckOptions
from bnas_deploy.converters.passes.pipeline import PIPELINE, run_pipeline
from bnas_deploy.format import read, steps, write
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.genotype import GENOTYPES, PRIMITIVES, Genotype
from bnas_deploy.nn.network import build_network

BACKENDS = [name for name, missing in engine.available().items() if missing is None]
SCHEMES = {
    "no skip": {"skips": False},
    "scaled": {"activation_scale": True},
    "scaled, no skip": {"activation_scale": True, "skips": False},
    "scaled, binary shortcut": {"activation_scale": True, "shortcut": "binary"},
    "scaled, pool": {"activation_scale": True, "shortcut": "pool"},
    "widths": {"channels": 6, "widths": (6, 4, 9)},
    "widths, pool": {"channels": 4, "widths": (4, 4, 12), "shortcut": "pool"},
}


def network_of(genotype, seed=0, **options):
    torch.manual_seed(seed)
    config = NetworkConfig("n", 5, 6, genotype, image_size=8, classes=4)
    network = build_network(replace(config, **options)).eval()
    scramble(network, seed)
    return network


def check_the_chain(network, seed):
    """Front end and every pass keep the meaning, in float64, where no sign is on a threshold."""
    network = network.double()
    images = images_for(network, 2, seed)
    with torch.inference_mode():
        want = network(images).numpy()
    graph = network_graph(network)
    assert np.abs(evaluate(graph, images.numpy()) - want).max() < 1e-9
    for step in PIPELINE:
        graph, modified = step(graph)
        if modified:
            assert np.abs(evaluate(graph, images.numpy()) - want).max() < 1e-9, step.name
        assert step(graph) == (graph, False), step.name


def check_the_backends(network, seed):
    """All give the reference's bits; returns the difference from PyTorch."""
    images = images_for(network, 2, seed)
    model, _ = convert_network(network)
    runs = {b: engine.create(model, backend=b).run(images.numpy()) for b in BACKENDS}
    for backend, logits in runs.items():
        assert np.array_equal(logits, runs["reference"]), backend
    with torch.inference_mode():
        return float(np.abs(runs["reference"] - network(images).numpy()).max())


@pytest.mark.parametrize("skips", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("name", GENOTYPES)
def test_published_cells(name, scaled, skips):
    options = {"skips": skips, "activation_scale": scaled}
    check_the_chain(network_of(GENOTYPES[name], **options), 0)
    assert check_the_backends(network_of(GENOTYPES[name], **options), 0) < 1e-5


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("seed", range(6))
def test_random_networks_keep_their_meaning(scheme, seed):
    zeroise = (0.2, 0.5, 0.9)[seed % 3]
    check_the_chain(random_network(seed + 2, zeroise=zeroise, **SCHEMES[scheme]), seed)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_random_networks_on_every_backend(scheme):
    # Bounds as in test_end_to_end: a sign within rounding of its threshold may differ.
    differences = sorted(
        check_the_backends(random_network(seed, **SCHEMES[scheme]), seed) for seed in range(2, 10)
    )
    assert differences[5] < 1e-5
    assert differences[-1] < 0.5


@pytest.mark.parametrize("name", PRIMITIVES[3:])
def test_a_network_of_one_layer_type(name):
    network = network_of(Genotype([(name, 0), (name, 1)] * 4, [(name, 0), (name, 1)] * 4))
    assert check_the_backends(network, 0) < 1e-5


@pytest.mark.parametrize("size", [8, 12])
def test_depthwise_weights_that_are_zero(size):
    edges = [("bin_double_sep_conv_3x3", 0), ("bin_sep_conv_5x5", 1)] * 4
    network = network_of(Genotype(edges, edges), centre_depthwise=True, image_size=size)
    assert check_the_backends(network, 0) < 1e-5


def test_edges_of_zero_channels_into_a_separable_convolution():
    """Their signs are constants, but at a border the depthwise sums are not."""
    edges = [("none", 0), ("none", 1), ("bin_sep_conv_3x3", 2), ("bin_dil_sep_conv_5x5", 2)]
    edges += [("bin_conv_3x3", 3), ("none", 0), ("skip_connect", 3), ("skip_connect", 2)]
    for options in ({}, {"activation_scale": True}):
        check_the_chain(network_of(Genotype(edges, edges), **options), 0)
        assert check_the_backends(network_of(Genotype(edges, edges), **options), 0) < 1e-5


def test_the_same_state_twice():
    edges = [("skip_connect", 0), ("skip_connect", 0), ("skip_connect", 2), ("skip_connect", 2)]
    edges += [("skip_connect", 1), ("max_pool_3x3", 1), ("bin_sep_conv_3x3", 0), ("none", 0)]
    for skips in (True, False):
        network = network_of(Genotype(edges, edges), skips=skips)
        assert check_the_backends(network, 0) < 1e-5


def test_a_depthwise_convolution_is_one_step_with_thresholds():
    edges = [("bin_sep_conv_3x3", 0), ("bin_sep_conv_3x3", 1)] * 4
    model, report = convert_network(network_of(Genotype(edges, edges)))
    depthwise = [s for s in model.program.steps if isinstance(s, steps.BinaryDepthwiseConv2d)]
    assert len(depthwise) == 5 * 8
    assert all(isinstance(stage, steps.ThresholdStage) for s in depthwise for stage in s.stages)
    first, last = report.binary_convolutions
    assert first == last == 5 * (2 + 16)


def test_the_file_names_the_schemes(tmp_path):
    network = network_of(GENOTYPES["darts_v2"], skips=False, activation_scale=True)
    model, _ = convert_network(network, check=CheckOptions(4, "reference"))
    write(model, tmp_path / "m.bnn")
    facts = read(tmp_path / "m.bnn").provenance["network"]
    assert facts["skips"] is False
    assert facts["activation_scale"] is True
    assert NetworkConfig.from_dict({**facts}) == network.config


@pytest.mark.parametrize("shortcut", ["conv", "pool1x1", "binary"])
def test_box_filters_are_not_put_into_8_bits(shortcut):
    network = network_of(GENOTYPES["latest_cell"], activation_scale=True, shortcut=shortcut)
    model, report = convert_network(network, eight_bit=EightBitOptions(("shortcut",)))
    layers = [layer.layer for layer in report.eight_bit.layers]
    assert len(layers) == (0 if shortcut == "binary" else 2)
    assert not any("activations" in layer for layer in layers)
    factors = {s.factor for s in model.program.steps if isinstance(s, steps.Multiply)}
    boxes = [s for s in model.program.steps if isinstance(s, steps.Conv2d) and s.output in factors]
    assert 0 < len(boxes) < len(factors)  # a 1x1 convolution needs none


def test_k_counts_channels_that_are_zero():
    network = network_of(GENOTYPES["latest_cell_zeroise"], activation_scale=True)
    graph, _ = run_pipeline(network_graph(network))
    means = [n for n in graph.nodes if n.op == "mean_magnitude"]
    narrowed = [n for n in means if n.constants["terms"][1] > 0]
    assert narrowed
    for n in narrowed:
        assert len(n.constants["scale"]) < round(1 / n.constants["terms"][0])
