from __future__ import annotations

import hashlib
import json
import os
import re

import numpy as np
import pytest
from PIL import Image
from support.random_networks import random_network

from bnas_deploy.cli.convert import body
from bnas_deploy.cli.export.command import main
from bnas_deploy.converters.packing import check as packing_check
from bnas_deploy.engine.reference.backend import ReferenceRunner
from bnas_deploy.format import Preprocessing, read
from bnas_deploy.training.model.trained_model import TrainedModel, save_model


@pytest.fixture
def model_pt(tmp_path):
    network = random_network(0)
    size = network.config.image_size
    labels = tuple(f"label {i}" for i in range(network.config.classes))
    pixels = Preprocessing(size, (size, size), (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    save_model(tmp_path / "model.pt", TrainedModel(network, pixels, labels, {"epochs": 2}))
    return tmp_path / "model.pt"


def test_exports_beside_the_model_and_says_what_it_did(model_pt, capsys):
    assert main([str(model_pt), "--backend", "reference"]) == 0
    output = model_pt.with_suffix(".bnn")
    out = capsys.readouterr().out
    assert "edges that are Zeroise" in out
    assert "self-check: 32 random images, PyTorch against reference" in out
    assert f"wrote {output} ({output.stat().st_size:,} bytes)" in out
    model = read(output)
    digest = hashlib.sha256(model_pt.read_bytes()).hexdigest()
    assert model.provenance["source"] == {"file": "model.pt", "sha256": digest}
    assert model.provenance["training"] == {"epochs": 2}
    assert model.provenance["self_check"]["images"] == 32
    assert str(model_pt.parent) not in json.dumps(dict(model.provenance))


def test_json_is_one_object(model_pt, tmp_path, capsys):
    output = tmp_path / "other.bnn"
    args = [str(model_pt), "-o", str(output), "--json", "--verify-images", "3"]
    assert main([*args, "--backend", "reference"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["output"] == str(output)
    assert report["file_bytes"] == output.stat().st_size
    assert report["self_check"]["images"] == 3
    assert report["kept"][0]["reason"]


def test_without_the_self_check(model_pt, capsys):
    assert main([str(model_pt), "--no-verify"]) == 0
    assert "self-check: not run" in capsys.readouterr().out
    assert "self_check" not in read(model_pt.with_suffix(".bnn")).provenance


def test_pictures_for_the_self_check(model_pt, tmp_path, capsys):
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(3):
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8)).save(folder / f"{i}.png")
    assert main([str(model_pt), "--images", str(folder), "--backend", "reference"]) == 0
    assert "self-check: 3 given images" in capsys.readouterr().out


def test_a_failed_self_check_leaves_no_file(model_pt, monkeypatch, capsys):
    class Wrong(ReferenceRunner):
        def run(self, images):
            return -super().run(images)

    monkeypatch.setattr(packing_check.engine, "create", lambda model, **_: Wrong(model))
    assert main([str(model_pt)]) == 2
    assert "self-check failed" in capsys.readouterr().err
    assert sorted(p.name for p in model_pt.parent.iterdir()) == ["model.pt"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["gone.pt"], "gone.pt: no such file"),
        (["{model}", "-o", "{model}"], "cannot be written there"),
        (["{model}", "-o", "{folder}"], "cannot be written there"),
        (["{model}", "-o", "{folder}/none/x.bnn"], "cannot be written there"),
        (["{model}", "--no-verify", "--verify-images", "3"], "contradicts"),
        (["{model}", "--images", "a.png", "--verify-images", "3"], "either --check-images or"),
        (["{model}", "--verify-images", "0"], "at least 1, got '0'"),
        (["{model}", "--images", "gone.png"], "gone.png: no such file"),
        (["{model}", "--backend", "abacus"], "unknown backend 'abacus'"),
        ([], "required: MODEL"),
    ],
)
def test_mistakes_end_as_one_line(args, message, model_pt, capsys):
    args = [a.format(model=model_pt, folder=model_pt.parent) for a in args]
    assert main(args) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1
    assert not model_pt.with_suffix(".bnn").exists()


def test_a_file_that_is_no_model(tmp_path, capsys):
    (tmp_path / "model.pt").write_bytes(b"no model")
    assert main([str(tmp_path / "model.pt")]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_help_teaches(capsys):
    with pytest.raises(SystemExit) as done:
        main(["--help"])
    assert done.value.code == 0
    out = capsys.readouterr().out
    assert "examples:" in out
    assert "full precision" in out


def test_a_device_is_not_replaced_by_a_file(model_pt, tmp_path, capsys):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert main([str(model_pt), "--no-verify", "-o", str(pipe)]) == 2
    assert "this is a directory or a device" in capsys.readouterr().err
    assert pipe.is_fifo()


def test_the_source_is_not_overwritten_by_another_name_of_it(model_pt, capsys):
    before = model_pt.read_bytes()
    link = model_pt.with_name("link.bnn")
    link.symlink_to(model_pt)
    assert main([str(model_pt), "--no-verify", "-o", str(link)]) == 2
    assert "cannot be written there" in capsys.readouterr().err
    assert model_pt.read_bytes() == before
    assert link.is_symlink()


@pytest.mark.parametrize("name", ["", "/", "x" * 300])
def test_names_of_no_file(name, capsys):
    assert main([name]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_file_with_a_strange_name(model_pt, tmp_path, capsys):
    strange = tmp_path / "we\nird\udcff.pt"
    model_pt.rename(strange)
    assert main([str(strange), "--no-verify"]) == 0
    assert r"we\nird\udcff.bnn (" in capsys.readouterr().out
    assert read(strange.with_suffix(".bnn")).provenance["source"]["file"] == r"we\nird\udcff.pt"


def photographs(folder, count):
    folder.mkdir()
    rng = np.random.default_rng(1)
    for i in range(count):
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8)).save(folder / f"{i}.png")
    return str(folder)


def eight_bit_ops(model_pt):
    model = read(model_pt.with_suffix(".bnn"))
    return [s.OP for s in model.program.steps].count("quantized_conv2d"), model


def test_shortcuts_are_in_8_bits_unless_told_otherwise(model_pt, capsys):
    assert main([str(model_pt), "--backend", "reference"]) == 0
    out = capsys.readouterr().out
    count, model = eight_bit_ops(model_pt)
    assert (
        count == len(re.findall(r"\.shortcut\.1 \(shortcut\): [0-9,]+ to [0-9,]+ bytes", out)) > 0
    )
    assert "in 8 bits, ranges measured on 128 synthetic images:" in out
    assert "stem (stem) stays in float: not asked for" in out
    assert "PyTorch against reference before 8 bits" in out
    assert "8 bits against float: the packed program (reference) before and after" in out
    stored = model.provenance["report"]["eight_bit"]
    assert stored["calibration"] == "synthetic"
    assert stored["agreement"]["images"] == 32


def test_no_layer_in_8_bits(model_pt, capsys):
    assert main([str(model_pt), "--backend", "reference", "--eight-bit", "none"]) == 0
    assert "8 bits" not in capsys.readouterr().out
    count, model = eight_bit_ops(model_pt)
    assert count == 0
    assert model.provenance["report"]["eight_bit"] is None


def test_all_layers_in_8_bits_calibrated_on_pictures(model_pt, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(body, "MOST", 5)
    folder = photographs(tmp_path / "train", 7)
    args = ["--backend", "reference", "--eight-bit", "all", "--calibrate", folder, "--json"]
    assert main([str(model_pt), *args]) == 0
    found = json.loads(capsys.readouterr().out)["eight_bit"]
    assert (found["calibration"], found["calibration_images"]) == ("given", 5)
    assert {layer["kind"] for layer in found["layers"]} == {"shortcut", "stem", "classifier"}
    assert found["float_layers"] == []
    assert eight_bit_ops(model_pt)[0] == len(found["layers"])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--eight-bit", "head"], "expected all, none, or some of shortcut, stem, classifier"),
        (["--eight-bit", ""], "expected all, none, or some of"),
        (["--eight-bit", "none", "--calibrate", "x"], "--calibrate is for layers in 8 bits"),
        (["--eight-bit", "none", "--no-verify", "--backend", "numba"], "nothing for --backend"),
        (["--calibrate", "/nowhere"], "/nowhere: no such file"),
    ],
)
def test_mistakes_with_8_bits(model_pt, args, message, capsys):
    try:
        status = main([str(model_pt), *args])
    except SystemExit as stop:
        status = stop.code
    assert status == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not model_pt.with_suffix(".bnn").exists()


def test_other_labels(model_pt, tmp_path, capsys):
    count = random_network(0).config.classes
    names = tmp_path / "names.txt"
    words = [str(model_pt), "--no-check", "--eight-bit", "none", "--labels", str(names)]
    names.write_text("\n".join(f"name {i}" for i in range(count)))
    assert main(words) == 0
    assert read(model_pt.with_suffix(".bnn")).labels == tuple(f"name {i}" for i in range(count))
    names.write_text("\n".join("ab" * count))
    capsys.readouterr()
    assert main(words) == 2
    expected = f"expected {count} names, as the model has {count} classes; got {2 * count}"
    assert expected in capsys.readouterr().err
