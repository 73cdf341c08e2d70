"""Every shortcut from PyTorch to the packed program: what is made of it, on every backend."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.random_networks import images_for, random_network

from bnas_deploy import engine
from bnas_deploy.converters import convert_network
from bnas_deploy.converters.from_torch.network import network_graph
from bnas_deploy.converters.graph.evaluate import evaluate
from bnas_deploy.converters.passes.pipeline import PIPELINE, run_pipeline
from bnas_deploy.format import read, write
from bnas_deploy.nn.config import SHORTCUTS, NetworkConfig
from bnas_deploy.nn.genotype import Genotype
from bnas_deploy.nn.network import build_network

CHEAP = [kind for kind in SHORTCUTS if kind != "conv"]
BACKENDS = [name for name, missing in engine.available().items() if missing is None]
NETWORKS = 10


def shortcut_nodes(kind, seed=0):
    """Nodes and values of the first shortcut of a converted network."""
    network = random_network(seed, shortcut=kind)
    graph, _ = run_pipeline(network_graph(network))
    prefix = f"cell{network.config.reductions[0]}.shortcut"
    return network, graph, [n for n in graph.nodes if n.name.startswith(prefix)]


@pytest.mark.parametrize("kind", CHEAP)
@pytest.mark.parametrize("seed", range(8))
def test_graph_and_every_pass_keep_the_meaning(kind, seed):
    # In float64, for the reason given in test_pipeline.
    zeroise = (0.3, 0.6, 0.9)[seed % 3]
    network = random_network(seed, zeroise=zeroise, double=True, shortcut=kind)
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


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", SHORTCUTS)
def test_logits_of_random_networks_on_every_backend(kind, backend):
    # Bounds as in test_end_to_end: a sign within rounding of its threshold may differ.
    differences = []
    for seed in range(NETWORKS):
        network = random_network(seed, shortcut=kind)
        images = images_for(network, 2, seed)
        model, _ = convert_network(network)
        with torch.inference_mode():
            want = network(images).numpy()
        got = engine.create(model, backend=backend).run(images.numpy())
        differences.append(float(np.abs(got - want).max()))
    differences.sort()
    assert differences[int(0.8 * NETWORKS)] < 1e-5
    assert differences[-1] < 0.5


def test_pool1x1_is_a_pool_of_raw_values_and_one_convolution():
    network, graph, nodes = shortcut_nodes("pool1x1")
    assert [n.op for n in nodes] == ["avg_pool", "conv"]
    live = 2 * network.config.channels  # the other half is zero for every image
    assert graph.values[nodes[0].output].shape[0] == live
    assert nodes[1].constants["weight"].shape == (4 * live, live, 1, 1)


def test_pool_scales_live_channels_of_the_small_image_and_then_repeats_them():
    network, graph, nodes = shortcut_nodes("pool")
    assert [n.op for n in nodes] == ["avg_pool", "affine", "select_channels"]
    live = 2 * network.config.channels
    size = network.config.image_size // 2
    assert graph.values[nodes[1].output].shape == (live, size, size)
    assert nodes[2].constants["index"].tolist() == list(range(live)) * 4


def test_binary_is_one_compare_and_one_binary_convolution_of_the_live_channels():
    network, graph, nodes = shortcut_nodes("binary")
    assert [n.op for n in nodes] == ["binarize", "packed_conv"]
    live = 2 * network.config.channels  # the signs of the zero ones are in `fold`
    assert graph.values[nodes[0].output].shape[0] == live
    assert nodes[1].constants["weight"].shape == (4 * live, live, 2, 2)
    assert nodes[1].constants["fold"].any()
    (stage,) = nodes[1].attributes["stages"]
    assert (stage.kind, stage.activation) == ("scale", "none")


@pytest.mark.parametrize("seed", range(4))
def test_a_packed_binary_shortcut_is_exact(seed):
    """Every backend gives the same bits, which are those of the lowered graph."""
    network = random_network(seed, shortcut="binary")
    images = images_for(network, 2, seed).numpy()
    model, _ = convert_network(network)
    want = engine.create(model, backend="reference").run(images)
    for backend in BACKENDS:
        assert np.array_equal(engine.create(model, backend=backend).run(images), want)


@pytest.mark.parametrize("seed", [0, 1])
def test_what_a_cell_makes_is_added_onto_the_repeated_channels(seed):
    _, graph, nodes = shortcut_nodes("pool", seed)
    (first,) = graph.readers[nodes[-1].output]
    assert first.op == "add_slice"
    assert first.inputs[0] == nodes[-1].output


@pytest.mark.parametrize("kind", ["binary", "pool"])
def test_shortcuts_of_a_network_of_nothing_but_zeroise(kind):
    cell = tuple(("none", j // 2) for j in range(8))
    config = NetworkConfig("none", 5, 4, Genotype(cell, cell), image_size=8, shortcut=kind)
    network = build_network(config).eval()
    model, _ = convert_network(network)
    images = images_for(network, 2, 0)
    with torch.inference_mode():
        want = network(images).numpy()
    got = engine.create(model, backend="reference").run(images.numpy())
    assert np.abs(got - want).max() < 1e-5


@pytest.mark.parametrize("kind", SHORTCUTS)
def test_the_file_names_its_shortcut_and_counts_it(kind, tmp_path):
    network = random_network(0, shortcut=kind)
    model, report = convert_network(network)
    write(model, tmp_path / "m.bnn")
    again = read(tmp_path / "m.bnn")
    assert again.provenance["network"]["shortcut"] == kind
    folded = {"conv": 2, "pool1x1": 2}.get(kind, 0)
    assert len(report.folded_batchnorms) == folded
    kept = [k.op for k in report.kept if ".shortcut" in k.layer]
    assert kept == {"pool": ["affine", "affine"], "binary": []}.get(kind, ["conv", "conv"])
