from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from support.onnx_models import OnnxModel
from support.random_networks import random_network

from bnas_deploy.cli.export import command as export
from bnas_deploy.cli.import_model.command import main
from bnas_deploy.format import Preprocessing, read, write
from bnas_deploy.training.model.trained_model import TrainedModel, save_model


@pytest.fixture
def binary(tmp_path):
    m = OnnxModel((3, 8, 8))
    return m.save(tmp_path, m.head(m.binary(m.add("Sign", m.norm("x", 3)), 3, 8), 8))


@pytest.fixture
def partly(tmp_path):
    m = OnnxModel((3, 8, 8))
    x = m.add("Conv", "x", m.normal(8, 3, 3, 3))
    return m.save(tmp_path, m.float_head(m.binary(m.add("Sign", x), 8, 8), 8))


@pytest.fixture
def model_pt(tmp_path):
    network = random_network(0)
    size = network.config.image_size
    labels = tuple(f"label {i}" for i in range(network.config.classes))
    pixels = Preprocessing(size, (size, size), (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    save_model(tmp_path / "net.pt", TrainedModel(network, pixels, labels, {}))
    return tmp_path / "net.pt"


@pytest.mark.parametrize("command", [main, export.main])
def test_imports_beside_the_model(command, binary, capsys):
    assert command([str(binary)]) == 0
    out = capsys.readouterr().out
    assert "self-check: 32 random images, ONNX Runtime against" in out
    model = read(binary.with_suffix(".bnn"))
    assert model.provenance["self_check"]["against"] == "ONNX Runtime"
    assert model.provenance["source"]["file"] == "model.onnx"
    assert str(binary.parent) not in json.dumps(dict(model.provenance))


def test_float_layers_need_a_word(partly, capsys):
    assert main([str(partly)]) == 2
    first, *obstacles = capsys.readouterr().err.splitlines()
    assert first == "error: model.onnx cannot be converted, 2 obstacles:"
    assert [line.split()[1] for line in obstacles] == ["(Conv):", "(Gemm):"]
    assert all(line.endswith("pass --allow-float") for line in obstacles)
    assert not partly.with_suffix(".bnn").exists()
    assert main([str(partly), "--allow-float", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [kept["op"] for kept in report["kept"]] == ["conv", "linear"]
    assert report["self_check"]["images"] == 32


def test_labels_pixels_and_pictures(binary, tmp_path, capsys):
    (tmp_path / "labels.txt").write_text("a\nb\nc\nd\n")
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8)).save(tmp_path / "a.png")
    args = ["--labels", str(tmp_path / "labels.txt"), "--mean", "0.5,0.4,0.3", "--std", "1,1,2"]
    images = ["--check-images", str(tmp_path / "a.png"), "--resize", "9"]
    assert main([str(binary), *args, *images]) == 0
    assert "self-check: 1 given images" in capsys.readouterr().out
    model = read(binary.with_suffix(".bnn"))
    assert model.labels == ("a", "b", "c", "d")
    assert model.preprocessing.mean == (0.5, 0.4, 0.3)
    assert model.preprocessing.resize == 9


def test_an_array_of_inputs(binary, tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(5, 3, 8, 8)))
    assert main([str(binary), "--check-images", str(tmp_path / "x.npy")]) == 0
    assert "self-check: 5 given images" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["gone.onnx"], "no such file"),
        (["MODEL", "-o", "gone/out.bnn"], "cannot be written"),
        (["MODEL", "-o", "MODEL"], "what is written is a .bnn file"),
        (["MODEL", "--no-verify", "--verify-images", "3"], "contradicts"),
        (["MODEL", "--check-images", "gone.npy"], "not an array"),
        (["MODEL", "--check-images", "NPY"], "inputs of shape"),
        (["MODEL", "--labels", "gone.txt"], "--labels: expected cifar10, or a file of names"),
        (["MODEL", "--mean", "1,x"], "expected numbers"),
        (["MODEL", "--mean", "1,1"], "mean and std need 3"),
        (["MODEL", "--sign-zero", "maybe"], "invalid choice"),
    ],
)
def test_mistakes_write_nothing(args, message, binary, tmp_path, capsys):
    np.save(tmp_path / "wrong.npy", np.zeros((2, 3, 9, 9)))
    names = {"MODEL": str(binary), "NPY": str(tmp_path / "wrong.npy")}
    assert main([names.get(arg, arg) for arg in args]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert not binary.with_suffix(".bnn").exists()


@pytest.mark.parametrize("kind", ["binary", "float", "packed"])
def test_exports_onnx(kind, model_pt, capsys):
    args = [str(model_pt), "--format", "onnx"]
    if kind == "packed":
        assert export.main([str(model_pt), "--eight-bit", "none"]) == 0
        args = [str(model_pt.with_suffix(".bnn")), "--format", "onnx"]
    assert export.main([*args, *(["--float"] if kind == "float" else [])]) == 0
    out = capsys.readouterr().out
    assert "against ONNX Runtime: same answer for 32 of 32" in out
    path = model_pt.with_suffix(".onnx")
    if kind == "binary":
        assert main([str(path), "--allow-float", "-o", str(model_pt.parent / "again.bnn")]) == 0
        assert read(model_pt.parent / "again.bnn").labels[0] == "label 0"
    if kind == "float":
        assert main([str(path)]) == 2


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--float"], "--float needs --format onnx"),
        (["--format", "onnx", "--labels", "x"], "--labels is for packing"),
        (["--allow-float"], "--allow-float is for an ONNX model"),
        (["--sign-zero", "plus"], "--sign-zero is for an ONNX model"),
    ],
)
def test_options_that_do_not_belong_together(args, message, model_pt, capsys):
    assert export.main([str(model_pt), *args]) == 2
    assert message in capsys.readouterr().err
    assert not model_pt.with_suffix(".onnx").exists()


def test_a_packed_file_has_no_float_counterpart(binary, tmp_path, capsys):
    assert main([str(binary), "--no-verify"]) == 0
    packed = str(binary.with_suffix(".bnn"))
    assert export.main([packed, "--format", "onnx", "--float", "-o", "x.onnx"]) == 2
    assert "needs the model.pt" in capsys.readouterr().err
    write(read(packed), tmp_path / "copy.bnn")
    assert export.main([str(tmp_path / "copy.bnn"), "--format", "onnx", "--no-verify"]) == 0


@pytest.mark.parametrize("command", [main, export.main])
def test_obstacles_are_a_line_each_and_a_list_for_programs(command, tmp_path, capsys):
    m = OnnxModel((3, 8, 8))
    first = m.add("Sin", "x")
    second = m.add("Erf", m.add("Relu", first))
    path = m.save(tmp_path, m.float_head(second, 3))
    assert command([str(path), "--json"]) == 2
    out, err = capsys.readouterr()
    head, *lines = err.splitlines()
    assert head == "error: model.onnx cannot be converted, 3 obstacles:"
    assert [line.split()[0] for line in lines] == [first, second, m.nodes[-1].name]
    found = json.loads(out)
    assert (found["output"], found["error"]["code"]) == (None, "obstacles")
    told = [
        f"  {o['node']} ({o['op']}): {o['reason']}; {o['remedy']}"
        for o in found["error"]["obstacles"]
    ]
    assert told == lines


@pytest.mark.parametrize(
    ("args", "code"), [(["--mean", "1,1"], "model"), (["--labels", "gone.txt"], "usage")]
)
def test_other_failures_have_a_code_too(args, code, binary, capsys):
    assert main([str(binary), "--json", *args]) == 2
    out, err = capsys.readouterr()
    error = json.loads(out)["error"]
    assert error["code"] == code
    assert err == f"error: {error['message']}\n"
