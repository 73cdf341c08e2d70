"""Every front end goes through the same code: same results, files read once, a new one added."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from support.onnx_models import OnnxModel
from support.random_networks import random_network

from bnas_deploy.cli.common.entry import WARNED
from bnas_deploy.cli.convert import paths, scope
from bnas_deploy.cli.export.command import main as export
from bnas_deploy.cli.import_model.command import main as importing
from bnas_deploy.converters import front_ends
from bnas_deploy.converters.front_ends import FRONT_ENDS, FrontEnd
from bnas_deploy.converters.graph.builder import GraphBuilder
from bnas_deploy.converters.packing.source import Original, Source
from bnas_deploy.engine.reference.backend import ReferenceRunner
from bnas_deploy.format import Preprocessing, read
from bnas_deploy.training.model.trained_model import TrainedModel, save_model


@pytest.fixture
def model_pt(tmp_path):
    network = random_network(0)
    size = network.config.image_size
    labels = tuple(f"label {i}" for i in range(network.config.classes))
    pixels = Preprocessing(size, (size, size), (0.5, 0.4, 0.3), (0.25, 0.25, 0.25))
    save_model(tmp_path / "model.pt", TrainedModel(network, pixels, labels, {}))
    return tmp_path / "model.pt"


@pytest.fixture
def inputs(tmp_path, model_pt):
    size = random_network(0).config.image_size
    rng = np.random.default_rng(0)
    np.save(tmp_path / "x.npy", rng.standard_normal((20, 3, size, size), np.float32))
    return tmp_path / "x.npy"


@pytest.mark.parametrize(
    "more",
    [[], ["--eight-bit", "none"], ["--eight-bit", "all", "--calibrate", "x.npy"]],
    ids=" ".join,
)
def test_by_way_of_onnx_the_same_bits(more, model_pt, inputs, monkeypatch, capsys):
    monkeypatch.chdir(model_pt.parent)
    words = [*more, "--check-images", "x.npy", "--backend", "reference"]
    assert export(["model.pt", "--format", "onnx", "-o", "net.onnx"]) == 0
    assert export(["model.pt", "-o", "direct.bnn", *words]) == 0
    assert importing(["net.onnx", "--allow-float", "-o", "round.bnn", *words]) == 0
    out = capsys.readouterr().out
    assert "self-check: 20 given images, PyTorch against reference" in out
    assert "self-check: 20 given images, ONNX Runtime against reference" in out
    direct, around = read("direct.bnn"), read("round.bnn")
    assert direct.labels == around.labels
    assert direct.preprocessing == around.preprocessing
    images = np.load("x.npy")
    want = ReferenceRunner(direct).run(images)
    assert np.array_equal(want, ReferenceRunner(around).run(images))
    found = [m.provenance["report"]["eight_bit"] for m in (direct, around)]
    assert (found[0] is None) == (found[1] is None) == (more == ["--eight-bit", "none"])
    if found[0] is not None:
        kinds = [[layer["kind"] for layer in facts["layers"]] for facts in found]
        assert kinds[0] == kinds[1] != []


def test_a_file_is_loaded_once(model_pt, monkeypatch):
    loads, load = [], torch.load
    monkeypatch.setattr(torch, "load", lambda *a, **o: loads.append(a) or load(*a, **o))
    assert export([str(model_pt), "--check-random", "2"]) == 0
    assert len(loads) == 1


def test_layers_stay_in_float_where_nobody_says_what_inputs_are_like(tmp_path, capsys):
    m = OnnxModel((3, 8, 8))
    x = m.binary(m.add("Sign", m.norm("x", 3)), 3, 8)
    x = m.add("Conv", m.add("Relu", x), m.normal(8, 8, 1, 1))
    path = str(m.save(tmp_path, m.float_head(x, 8)))
    assert importing([path, "--allow-float"]) == 0
    out = capsys.readouterr().out
    assert "in 8 bits: no layer" in out
    assert "the model does not say how pictures become inputs" in out
    assert importing([path, "--allow-float", "--mean", "0.5,0.5,0.5"]) == 0
    assert "in 8 bits, ranges measured on 128 synthetic images:" in capsys.readouterr().out


def toy(tmp_path, monkeypatch):
    """A front end for files that hold one number: the slope of the only layer."""

    def source(file, *, allow_float=False):
        build = GraphBuilder((3, 4, 4))
        weight = np.full((2, 48), float(file.data), np.float32) * np.float32([[1], [-1]])
        logits = build.add("linear", "head", (build.input,), {}, {"weight": weight})
        original = Original(lambda x: x.reshape(len(x), -1) @ weight.T, "arithmetic")
        return Source(build.graph(logits), "toy", 1, original, facts={"source": file.facts})

    module = ModuleType("bnas_deploy.converters.from_toy.source")
    module.read = source
    package = ModuleType("bnas_deploy.converters.from_toy")
    package.__path__ = []
    monkeypatch.setitem(sys.modules, package.__name__, package)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    entry = FrontEnd(
        "from_toy", "a toy", lambda file: file.path.suffix == ".toy", ("train", ()), frozenset(),
        foreign=True,
    )  # fmt: skip
    for place in (front_ends, paths, scope):
        monkeypatch.setattr(place, "FRONT_ENDS", (*FRONT_ENDS, entry))
    (tmp_path / "model.toy").write_text("2.5")
    return str(tmp_path / "model.toy")


@pytest.mark.parametrize("command", [export, importing])
def test_a_new_front_end_is_one_entry(command, tmp_path, monkeypatch, capsys):
    path = toy(tmp_path, monkeypatch)
    assert command([path, "--check-random", "4"]) == WARNED  # no layer is binary
    out = capsys.readouterr().out
    assert "self-check: 4 random images, arithmetic against native" in out
    assert "head (linear, 384 bytes): the network has it in full precision" in out
    assert read(tmp_path / "model.bnn").labels == ("class 0", "class 1")
    assert command([path, "--sign-zero", "plus"]) == 2
    assert "--sign-zero is for an ONNX model" in capsys.readouterr().err


def test_what_a_difference_is_to_be_seen_beside(tmp_path, monkeypatch, capsys):
    path = toy(tmp_path, monkeypatch)
    (tmp_path / "model.toy").write_text("25000000")
    assert export([path]) == WARNED
    (line,) = [x for x in capsys.readouterr().out.splitlines() if x.startswith("self-check")]
    assert "of their spread (at most " in line
    assert float(line.split("where the largest is ")[1].rstrip(")")) > 1e8
