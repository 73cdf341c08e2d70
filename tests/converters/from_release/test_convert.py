"""Checkpoints of the release end to end: graph, program and evaluation agree."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from support.release_checkpoints import FULL, ZEROISE, trained

from bnas_deploy import engine
from bnas_deploy.converters.eight_bit.facts import EightBitOptions
from bnas_deploy.converters.from_release.cell import Arch
from bnas_deploy.converters.from_release.evaluate import release_logits
from bnas_deploy.converters.from_release.network import AS_STORED, WITH_ZEROS, release_graph
from bnas_deploy.converters.from_release.source import (
    check_release,
    open_release,
    release_source,
)
from bnas_deploy.converters.graph.evaluate import evaluate
from bnas_deploy.converters.packing.check import CheckOptions
from bnas_deploy.converters.packing.convert import convert_source
from bnas_deploy.converters.packing.inputs import random_pictures
from bnas_deploy.converters.packing.report_text import report_lines
from bnas_deploy.converters.passes.pipeline import run_pipeline
from bnas_deploy.errors import CheckpointError
from bnas_deploy.format import Preprocessing
from bnas_deploy.nn.genotype import LATEST_CELL_ZEROISE, Genotype

MEAN, STD = (0.5, 0.4, 0.3), (0.25, 0.2, 0.3)
MIXED = Genotype.from_text(
    """
normal: (bin_conv_5x5,0) (avg_pool_3x3,1) | (none,1) (bin_dil_conv_5x5,2) \
| (max_pool_3x3,2) (skip,0) | (bin_conv_3x3,3) (none,0)
reduce: (bin_dil_conv_3x3,1) (none,0) | (avg_pool_3x3,0) (bin_conv_3x3,2) \
| (none,1) (none,3) | (max_pool_3x3,4) (none,0)
""".replace("(skip,0)", "(none,0)")
)
MIXED_EDGES = {0: 5, 3: 5, 6: 3}, {0: 3, 3: 3}

NETWORKS = {
    "like Mini": (ZEROISE, False, 8, 12, None),
    "like A without Zeroise": (FULL, False, 6, 8, None),
    "like D": (FULL, True, 6, 8, None),
    "Zeroise on ImageNet": (ZEROISE, True, 5, 8, None),
    "a cell of one's own": (MIXED_EDGES, False, 7, 8, Arch("own.json", MIXED)),
}


def opened(name, *, classes=10, seed=0):
    edges, imagenet, layers, c, arch = NETWORKS[name]
    values = trained(layers, c, edges, classes, imagenet=imagenet, seed=seed)
    release = check_release(
        open_release("w.pt", values, held=1 << 40, arch=arch), 64 if imagenet else 16
    )
    return release, 64 if imagenet else 16


def converted(release, size, **options):
    labels = tuple(f"label {i}" for i in range(release.config.classes))
    pixels = Preprocessing(size, (size, size), MEAN, STD)
    source = release_source(release, labels=labels, preprocessing=pixels)
    return convert_source(source, **options)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_graph_and_every_pass_mean_what_the_release_does(name):
    """In float64, where nothing is as near to a threshold as rounding."""
    release, size = opened(name)
    weights = {n: w.double() for n, w in release.weights.items()}
    images = np.random.default_rng(0).normal(size=(2, 3, size, size))
    want = release_logits(weights, release.config.genotype, torch.from_numpy(images)).numpy()
    graph = release_graph(weights, release.config).graph
    scale = np.abs(want).max()
    assert np.abs(evaluate(graph, images) - want).max() < 1e-9 * scale
    for record in run_pipeline(graph)[1]:
        error = np.abs(evaluate(record.after, images) - want).max()
        assert error < 1e-9 * scale, record.name


@pytest.mark.parametrize("name", NETWORKS)
def test_packed_logits_agree(name):
    release, size = opened(name)
    images = random_pictures(24, (size, size), MEAN, STD)
    options = CheckOptions(images, "reference")
    model, report = converted(release, size, check_options=options)
    check = report.self_check
    assert check.same_answer == check.images == 24
    assert check.relative_error < 1e-2
    assert model.provenance["self_check"]["relative_error"] == check.relative_error
    want = engine.create(model, backend="reference").run(images[:6])
    for backend in ("native", "numba"):
        assert np.array_equal(engine.create(model, backend=backend).run(images[:6]), want), backend


def test_the_last_two_stay_floats_and_the_report_says_why():
    release, size = opened("like Mini")
    model, report = converted(release, size)
    kept = {k.layer: k.reason for k in report.kept}
    assert {name for name, reason in kept.items() if reason == AS_STORED} == {
        "cell7.edge1",
        "cell7.edge2",
    }
    last = release.weights["cells.7._ops.1.op.0.weight"].numpy()
    assert np.array_equal(model.tensors["cell7.edge1.weight"], last)
    assert report.binary_convolutions == (26, 24)  # two input units that nobody reads are gone
    assert model.provenance["release"]["float_weights"]["cell7.edge2"] == AS_STORED
    text = "\n".join(report_lines(report))
    assert "8 cells, reduction cells 2 and 5, C = 12, 10 classes, cifar10 stem" in text
    assert "cell latest_cell_zeroise: the only known cell that fits the weights" in text
    json.dumps(report.to_dict())


def test_the_last_two_stay_floats_with_8_bits_too():
    release, size = opened("like Mini")
    images = random_pictures(8, (size, size), MEAN, STD)
    options = EightBitOptions(("shortcut", "stem"), images, "reference")
    check = CheckOptions(8, "reference")
    _, report = converted(release, size, check_options=check, eight_bit=options)
    assert {layer.layer for layer in report.eight_bit.layers} == {
        "stem",
        "cell2.shortcut.1",
        "cell5.shortcut.1",
    }
    left = {layer.layer: layer.reason for layer in report.eight_bit.float_layers}
    assert left["cell7.edge1"] == left["cell7.edge2"] == AS_STORED
    assert report.eight_bit.agreement.relative_error < 0.5


def test_constant_zero_channels_are_folded_as_zero():
    release, _ = opened("like Mini")
    graph = release_graph(release.weights, release.config).graph
    _, records = run_pipeline(graph)
    (zeros,) = [r for r in records if r.name == "remove_zero"]
    conv = next(n for n in zeros.after.nodes if n.name == "cell3.preprocess0")
    assert conv.constants["weight"].shape[1] == 24  # the living half of 48
    assert "fold" not in conv.constants  # each of the others is 0, not +1 or -1
    (split,) = [r for r in records if r.name == "split_zero_signs"]
    conv = next(n for n in split.after.nodes if n.name == "cell3.preprocess0")
    assert conv.constants["weight"].shape[1] == 48  # channel 0 lives, and may be 0


def test_weights_that_are_exactly_zero_stay_floats():
    release, size = opened("like Mini")
    weights = dict(release.weights)
    name = "cells.1.preprocess1.op.0.weight"
    weights[name] = weights[name].clone()
    weights[name][3, :2] = torch.tensor([0.5, -0.5])[:, None, None]
    weights[name][3, 2:] = 0
    made = release_graph(weights, release.config)
    assert made.floats["cell1.preprocess1"] == WITH_ZEROS
    images = np.random.default_rng(0).normal(size=(2, 3, size, size))
    double = {n: w.double() for n, w in weights.items()}
    graph, _ = run_pipeline(release_graph(double, release.config).graph)
    want = release_logits(double, LATEST_CELL_ZEROISE, torch.from_numpy(images)).numpy()
    assert np.abs(evaluate(graph, images) - want).max() < 1e-9 * np.abs(want).max()


def test_published_networks_are_recognised():
    values = trained(10, 24, ZEROISE, 100, imagenet=False)
    release = check_release(open_release("w.pt", values, held=1 << 40), 32)
    assert release.config.name == "Mini"
    assert release.config.classes == 100
    assert release.config.genotype == LATEST_CELL_ZEROISE


def test_an_image_size_that_does_not_fit():
    values = trained(4, 4, ZEROISE, 10, imagenet=False)
    with pytest.raises(CheckpointError, match=r"w\.pt: the image size .* must be a multiple of 4"):
        check_release(open_release("w.pt", values, held=1 << 40), 30)
