"""bnas-export and bnas-import of what PyTorch saves or a user's code builds, or why not."""

from __future__ import annotations

import json
import sys
import zipfile

import pytest
import torch
from support.binary_layer_classes import network

from bnas_deploy.cli.export.command import main as export
from bnas_deploy.cli.import_model.command import main as importing
from bnas_deploy.format import read

CODE = """
from support.binary_layer_classes import network

def build():
    return network("Bi-Real Net")

class Holder:
    build = staticmethod(build)

def fails():
    raise KeyError("mine")

def gives():
    return 3

ready = network("Bi-Real Net")
"""
SHAPE = ["--input-shape", "3,8,8"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a module of the user's, imported anew."""
    monkeypatch.chdir(tmp_path)
    for name in ("mine", "mine.nets", "mine.broken"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").write_text("")
    (tmp_path / "mine" / "nets.py").write_text(CODE)
    (tmp_path / "mine" / "broken.py").write_text("import not_there\n")
    return tmp_path


def saved(path, **options):
    example = (torch.zeros(2, 3, 8, 8),)
    torch.export.save(torch.export.export(network("Bi-Real Net"), example, **options), path)


@pytest.mark.parametrize("command", [export, importing])
@pytest.mark.parametrize("batch", ["fixed", "dynamic"])
def test_a_saved_program(command, batch, here, capsys):
    shapes = None if batch == "fixed" else ({0: torch.export.Dim("N", max=64)},)
    saved(here / "net.pt2", dynamic_shapes=shapes)
    assert command(["net.pt2", "--allow-float", "--mean", "0.5,0.5,0.5", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["self_check"]["against"] == "PyTorch"
    kept = [layer["layer"] for layer in report["kept"] if layer["op"] in ("conv", "linear")]
    assert kept == ["stem", "classifier"]
    model = read(here / "net.bnn")
    assert model.preprocessing.mean == (0.5, 0.5, 0.5)
    assert model.provenance["source"]["file"] == "net.pt2"


@pytest.mark.parametrize("name", ["mine.nets:build", "mine.nets:Holder.build"])
def test_code_with_a_checkpoint(name, here, capsys):
    weights = {f"module.{k}": v * 2 for k, v in network("Bi-Real Net").state_dict().items()}
    weights["module.extra.weight"] = torch.ones(3)
    torch.save({"state_dict": weights, "epoch": 3}, here / "w.pth")
    words = [name, *SHAPE, "--weights", "w.pth", "--allow-float"]
    assert importing(words) == 0
    out = capsys.readouterr().out
    assert "the prefix module. was removed" in out
    assert "left out: epoch" in out
    assert "left out: extra.weight, not part of the module" in out
    facts = read(here / "build.bnn").provenance["source"]
    assert (facts["code"], facts["weights"]["file"]) == (name, "w.pth")
    with_weights = (here / "build.bnn").read_bytes()
    assert export([name, *SHAPE, "--allow-float"]) == 0
    assert f"no --weights: its weights are those that {name} gives" in capsys.readouterr().out
    assert (here / "build.bnn").read_bytes() != with_weights


def test_a_module_that_is_there_already(here):
    assert export(["mine.nets:ready", *SHAPE, "--allow-float", "-o", "x.bnn"]) == 0
    assert (here / "x.bnn").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["mine.nets:build"], "say what one input is with --input-shape, such as 3,224,224"),
        (["mine.nets:bild", *SHAPE], "there is no 'bild' in mine.nets (did you mean build?)"),
        (["mine.nest:build", *SHAPE], "no such file, and no module 'mine.nest' in Python's path"),
        (["mine.nets:fails", *SHAPE], "mine.nets:fails: fails() failed: KeyError: 'mine'"),
        (["mine.nets:gives", *SHAPE], "expected a torch.nn.Module; gives() gives int"),
        (["mine.broken:build", *SHAPE], "importing mine.broken failed: ModuleNotFoundError"),
        (["mine.nets:build", "--input-shape", "3,8"], "expected three numbers C,H,W or one"),
        (["mine.nets:build", "--input-shape", "4,8,8"], "does not run on an input of shape [2, 4,"),
        (["mine.nets:build", *SHAPE, "--format", "onnx"], "torch.onnx.export does that"),
        (["mine.nets:build", *SHAPE, "--weights", "gone.pth"], "gone.pth: No such file"),
        (
            ["mine.nets:build", *SHAPE, "--weights", "less.pth"],
            "1 weights are missing: stem.weight",
        ),
        (["mine.nets:build", *SHAPE, "--weights", "more.pth"], "stem.weight has another shape: "),
        (["bad.pt2"], "bad.pt2: PyTorch "),
        (["cut.pt2"], "cut.pt2: this is a saved program of torch.export that is cut off after"),
        (["net.pt2", "--input-shape", "3,8,8"], "--input-shape is for code that builds a model"),
        (["mine.nets:build", *SHAPE], "2 obstacles:"),
    ],
)
def test_mistakes(words, message, here, capsys):
    weights = network("Bi-Real Net").state_dict()
    torch.save({**weights, "stem.weight": torch.zeros(1)}, here / "more.pth")
    del weights["stem.weight"]
    torch.save(weights, here / "less.pth")
    for name in ("net.pt2", "bad.pt2"):
        with zipfile.ZipFile(here / name, "w") as file:
            file.writestr("net/archive_format", "pt2")
    (here / "cut.pt2").write_bytes((here / "net.pt2").read_bytes()[:-20])
    assert export(words) == 2
    assert message in capsys.readouterr().err
    assert not list(here.glob("*.bnn"))
