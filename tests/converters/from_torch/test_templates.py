"""Every choice of the cell template from PyTorch to the packed program, ONNX and the cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from support.random_networks import images_for, random_network

from bnas_deploy import cost, engine
from bnas_deploy.converters import convert_network
from bnas_deploy.converters.eight_bit.facts import KINDS, EightBitOptions
from bnas_deploy.converters.from_onnx.convert import convert_onnx
from bnas_deploy.converters.from_torch.network import network_graph
from bnas_deploy.converters.graph.evaluate import evaluate
from bnas_deploy.converters.packing.source import plain_preprocessing
from bnas_deploy.converters.passes.pipeline import PIPELINE
from bnas_deploy.converters.to_onnx.network import network_to_onnx
from bnas_deploy.format import read, write
from bnas_deploy.nn.config import CONFIGS, NetworkConfig
from bnas_deploy.nn.genotype import LATEST_CELL, LATEST_CELL_ZEROISE
from bnas_deploy.nn.network import build_network
from bnas_deploy.training.model.trained_model import TrainedModel, load_model, save_model

BACKENDS = [name for name, missing in engine.available().items() if missing is None]
TEMPLATES = {
    "narrow stem": {"stem": "narrow"},
    "patches": {"stem": "patches"},
    "overlapping patches": {"stem": "overlapping"},
    "one reduction": {"stem": "patches", "layers": 4, "reduce_at": (2,)},
    "three reductions, the first at once": {"layers": 5, "reduce_at": (0, 1, 3)},
    "no activation": {"activation": "none"},
    "shifts": {"activation": "shift", "stem": "patches"},
    "shifts and ReLU": {"activation": "shift_relu"},
    "shifts, PReLU, all shared": {
        "activation": "shift",
        "cell_activation": "prelu",
        "shared_norms": True,
    },
    "shared norms": {"shared_norms": True},
    "shared norms, scaled": {"shared_norms": True, "activation_scale": True, "stem": "patches"},
    "two cells, no reduction": {"layers": 2, "reduce_at": ()},
}
FOR_ALL = {"dataset": "cifar10", "image_size": 16, "shortcut": "pool1x1"}
each_template = pytest.mark.parametrize("template", TEMPLATES)


def network_of(template, seed, **options):
    return random_network(seed, **FOR_ALL, **TEMPLATES[template], **options)


@each_template
@pytest.mark.parametrize("seed", range(3))
def test_graph_and_every_pass_keep_the_meaning(template, seed):
    network = network_of(template, seed, double=True)
    images = images_for(network, 2, seed)
    with torch.inference_mode():
        want = network(images).numpy()
    graph = network_graph(network)
    assert np.abs(evaluate(graph, images.numpy()) - want).max() < 1e-9
    for step in PIPELINE:
        graph, modified = step(graph)
        if modified:
            assert np.abs(evaluate(graph, images.numpy()) - want).max() < 1e-9, step.name


@each_template
@pytest.mark.parametrize("eight_bit", [(), KINDS], ids=["float", "eight bits"])
def test_every_backend_gives_the_bits_of_the_reference(template, eight_bit):
    differences = []
    for seed in range(3):
        network = network_of(template, seed)
        images = images_for(network, 2, seed)
        options = EightBitOptions(eight_bit, images.numpy()) if eight_bit else None
        model, _ = convert_network(network, eight_bit=options)
        runs = {b: engine.create(model, backend=b).run(images.numpy()) for b in BACKENDS}
        for backend, logits in runs.items():
            assert np.array_equal(logits, runs["reference"]), backend
        with torch.inference_mode():
            difference = np.abs(runs["reference"] - network(images).numpy())
        differences.append(float(difference.max()))
    # A sign within rounding of its threshold may differ; 8 bits are approximate.
    assert eight_bit or sorted(differences)[1] < 1e-5


@each_template
def test_onnx_out_and_in_gives_the_same_bits(template, tmp_path):
    network = network_of(template, 0)
    images = images_for(network, 3, 0).numpy()
    onnx.save(network_to_onnx(network), tmp_path / "m.onnx")
    again, _ = convert_onnx(tmp_path / "m.onnx", allow_float=True)
    model, _ = convert_network(network)
    got, want = (engine.create(m).run(images) for m in (again, model))
    # ONNX spells the activation scale out, with roundings of its own.
    scaled = "activation_scale" in TEMPLATES[template]
    assert np.abs(got - want).max() <= (1e-6 if scaled else 0)


@each_template
def test_files_keep_the_template(template, tmp_path):
    network = network_of(template, 0)
    labels = tuple("abcdefghijkl")[: network.config.classes]
    trained = TrainedModel(network, plain_preprocessing((3, 16, 16)), labels)
    save_model(tmp_path / "model.pt", trained)
    loaded = load_model(tmp_path / "model.pt").network
    assert loaded.config == network.config
    images = images_for(network, 2, 0)
    with torch.inference_mode():
        assert torch.equal(loaded.eval()(images), network(images))
    write(convert_network(network)[0], tmp_path / "m.bnn")
    facts = read(tmp_path / "m.bnn").provenance["network"]
    assert NetworkConfig.from_dict(facts) == network.config


@each_template
@pytest.mark.parametrize("genotype", [LATEST_CELL, LATEST_CELL_ZEROISE], ids=["all", "zeroise"])
def test_every_parameter_is_counted(template, genotype):
    config = replace(CONFIGS["Mini"], channels=8, genotype=genotype, **TEMPLATES[template])
    network = build_network(config)
    parameters = sum(p.numel() for p in network.parameters())
    assert cost.memory_bits(config, binary=False, full=True) == 32 * parameters


@each_template
def test_the_work_of_the_stem_is_counted(template):
    config = replace(CONFIGS["Mini"], channels=8, **TEMPLATES[template])
    stem = build_network(config).eval().stem
    macs = stem.conv.weight[0].numel() * stem(torch.zeros(1, 3, 32, 32)).numel()
    assert cost.network_layers(config)[0].macs == macs
