"""What bnas-export and bnas-import say of a file that they cannot take, and of a folder."""

from __future__ import annotations

import pickle

import pytest
import torch
from support.onnx_models import OnnxModel
from support.small_models import mean_colour_model
from support.tiny_trained_model import tiny_trained_model

from bnas_deploy.cli.common.entry import WARNED
from bnas_deploy.cli.export.command import main as export
from bnas_deploy.cli.import_model.command import main as importing
from bnas_deploy.format import write


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    tiny_trained_model(tmp_path / "run" / "model.pt")
    (tmp_path / "empty").mkdir()
    write(mean_colour_model(), tmp_path / "packed.bnn")
    m = OnnxModel((3, 8, 8))
    m.save(tmp_path, m.float_head("x", 3)).rename(tmp_path / "net.onnx")
    (tmp_path / "page.onnx").write_text("<!DOCTYPE html><html>404</html>")
    (tmp_path / "pointer.pt").write_text("version https://git-lfs.github.com/spec/v1\noid x\n")
    (tmp_path / "some.pt").write_bytes(pickle.dumps([1, 2]))
    (tmp_path / "text.txt").write_text("404: Not Found")
    (tmp_path / "noise.pt").write_bytes(b"\xff\xfe\xfd" * 9)
    (tmp_path / "short.onnx").write_bytes((tmp_path / "net.onnx").read_bytes()[:-30])
    (tmp_path / "short.pt").write_bytes((tmp_path / "run" / "model.pt").read_bytes()[:-30])
    torch.save({"format": "bnas-deploy/checkpoint", "version": 1}, tmp_path / "checkpoint.pt")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "name", "message"),
    [
        (export, "run", "run: this is a folder; give run/model.pt"),
        (export, "empty", "empty: this is a folder; expected a model.pt of bnas-train, a "),
        (export, "packed.bnn", "this is a .bnn file, which is packed: bnas-run runs it"),
        (importing, "packed.bnn", "this is a .bnn file, which is packed: bnas-run runs it"),
        (importing, "run/model.pt", "this is a model.pt of bnas-train; bnas-export packs it"),
        (export, "page.onnx", "this file is a web page"),
        (importing, "page.onnx", "this file is a web page"),
        (export, "pointer.pt", "this file is a Git LFS pointer (git lfs pull fetches"),
        (export, "some.pt", "not a torch file of plain values and tensors"),
        (export, "text.txt", "this file is a text that begins '404: Not Found'"),
        (export, "noise.pt", "this file is of no known kind"),
        (export, "short.pt", "this is a file of PyTorch that is cut off after"),
        (importing, "short.onnx", "this is an ONNX model that is cut off after"),
        (export, "gone.pt", "no such file; expected a model.pt of bnas-train, a checkpoint of"),
        (
            importing,
            "gone",
            "no such file; expected an ONNX model, ",
        ),
        (export, "checkpoint.pt", "model.pt and checkpoint.pt of a run lie side by side"),
    ],
)
def test_it_is_named_by_what_it_is(command, name, message, here, capsys):
    assert command([name]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert [path.name for path in here.glob("*.bnn")] == ["packed.bnn"]


def test_an_onnx_model_is_known_by_its_content(here, capsys):
    (here / "net.onnx").rename(here / "net.pt")
    assert export(["net.pt", "--allow-float", "--no-check"]) == WARNED  # no layer is binary
    assert (here / "net.bnn").exists()


@pytest.mark.parametrize("name", ["net.onnx", "checkpoint.pt"])
def test_to_onnx_only_what_can_be_said_in_it(name, here, capsys):
    if name == "checkpoint.pt":
        torch.save({"cells.0": 1}, here / name)
    assert export([name, "--format", "onnx", "-o", "out.onnx"]) == 2
    err = capsys.readouterr().err
    assert "--format onnx: " in err
    assert "pack it first, and write the packed file as ONNX" in err
    packed = name.replace("onnx", "bnn").replace(".pt", ".bnn")
    assert f"bnas-export {name} -o {packed}, then bnas-export {packed} --format onnx" in err
    assert not (here / "out.onnx").exists()


@pytest.mark.parametrize(
    ("command", "words", "message"),
    [
        (
            export,
            ["run/model.pt", "-o", "x.onnx"],
            "is a .bnn file; name it so, or add --format onnx",
        ),
        (importing, ["net.onnx", "-o", "x.ONNX"], "what is written is a .bnn file"),
        (
            export,
            ["packed.bnn", "--format", "onnx", "-o", "x.bnn"],
            "is a .onnx file; name it so, or leave out --format onnx",
        ),
    ],
)
def test_a_name_that_says_something_else_than_the_file(command, words, message, here, capsys):
    before = sorted(here.iterdir())
    assert command(words) == 2
    assert message in capsys.readouterr().err
    assert sorted(here.iterdir()) == before
