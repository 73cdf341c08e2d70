"""`bnas-import model.tflite`: what the command prints, writes and refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bnas_deploy.cli.export.command import main as export
from bnas_deploy.cli.import_model.command import main as importing
from bnas_deploy.format import read

FILES = Path(__file__).parents[2] / "converters/from_tflite/files"


@pytest.fixture
def larq(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(FILES / "larq_ones.tflite", "larq.tflite")
    return "larq.tflite"


def test_a_model_of_larq(larq, capsys):
    assert importing([larq, "--allow-float", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["self_check"]["against"] == "the model in NumPy"
    assert report["notes"] == [
        "Softmax behind the logits: left out, as the answer is the same without"
    ]
    model = read(Path("larq.bnn"))
    assert model.provenance["source"]["file"] == larq
    assert model.preprocessing.crop == (8, 8)


def test_both_commands_write_the_same(larq):
    options = ["--allow-float", "--mean", "0.5,0.5,0.5", "--labels", "names.txt"]
    Path("names.txt").write_text("a\nb\nc\nd\ne\n")
    assert importing([larq, *options, "-o", "one.bnn"]) == 0
    assert export([larq, *options, "-o", "two.bnn"]) == 0
    assert Path("one.bnn").read_bytes() == Path("two.bnn").read_bytes()
    assert read(Path("one.bnn")).labels == ("a", "b", "c", "d", "e")


def test_float_layers_need_a_word(larq, capsys):
    assert importing([larq]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("error: larq.tflite cannot be converted, 2 obstacles:")
    assert "model/dense/MatMul (Gemm): would run in full precision" in lines[2]
    assert not Path("larq.bnn").exists()


def test_it_does_not_become_onnx_directly(larq, capsys):
    assert export([larq, "--format", "onnx"]) == 2
    assert "pack it first, and write the packed file as ONNX" in capsys.readouterr().err


def test_options_of_other_models_are_refused(larq, capsys):
    assert export([larq, "--arch", "BNAS-Mini"]) == 2
    assert "larq.tflite is a TensorFlow Lite model" in capsys.readouterr().err


def test_what_is_called_tflite_and_is_none(larq, capsys):
    Path("old.tflite").write_bytes(b"\x08\0\0\0\0\0\0\0" * 20)
    assert importing(["old.tflite"]) == 2
    assert "not a TensorFlow Lite model" in capsys.readouterr().err
