"""bnas-train, bnas-export, bnas-inspect and bnas-run with networks of other families."""

from __future__ import annotations

import json

import pytest

from bnas_deploy.checkpoints.torch_file import load_plain
from bnas_deploy.cli.export import command as export
from bnas_deploy.cli.inspect import command as inspect
from bnas_deploy.cli.run import command as run
from bnas_deploy.cli.train import command as train
from bnas_deploy.errors import CheckpointError, ConfigError
from bnas_deploy.nn.config import get_config
from bnas_deploy.training.model.trained_model import load_model

SMALL = ["--channels", "4", "--layers", "1", "--image-size", "8", "--epochs", "1", "--batch", "8"]


@pytest.fixture
def command(images, tmp_path, capsys):
    def call(tool, *words):
        status = tool.main([str(word) for word in words])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    def start(name, *options, small=SMALL):
        words = ["--data", images, "--out", tmp_path / "run", "--config", name, *small, *options]
        return call(train, *words, "--amp", "off", "--threads", "1", "--quiet")

    call.train = start
    return call


@pytest.mark.parametrize(
    ("name", "options"), [("bireal18", []), ("abc-resnet18", ["--bases", "2"])]
)
def test_from_pictures_to_answers(command, images, tmp_path, name, options):
    status, _, err = command.train(name, *options)
    assert status == 0, err
    model = load_model(tmp_path / "run" / "model.pt")
    assert model.config.to_dict() | {"name": name, "layers": 1} == model.config.to_dict()
    assert model.config.bases == (2 if options else 1)
    assert model.training["recipe"]["drop_path"] == 0
    path = tmp_path / "run" / "model.pt"
    status, out, err = command(export, path, "--json", "--eight-bit", "none")
    assert status == 0, err
    report = json.loads(out)
    assert report["self_check"]["same_answer"] == report["self_check"]["images"]
    status, out, _ = command(inspect, path.with_suffix(".bnn"), "--json")
    assert status == 0
    assert json.loads(out)["provenance"]["network"]["kind"] == "backbone"
    picture = images / "test" / "red" / "0.png"
    status, out, _ = command(run, "--packed", path.with_suffix(".bnn"), picture, "--json")
    assert status == 0
    assert {"blue", "red"} & set(json.dumps(json.loads(out)).replace('"', " ").split())


def test_a_run_goes_on(command, images, tmp_path):
    assert command.train("bonn-bireal18")[0] == 0
    words = ["--data", images, "--out", tmp_path / "run", "--resume", "--epochs", "2"]
    status, _, err = command(train, *words, "--amp", "off", "--threads", "1", "--quiet")
    assert status == 0, err
    assert load_model(tmp_path / "run" / "model.pt").training["epochs"] == 2


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("bireal18", ["--genotype", "latest_cell"], "bireal18 has no --genotype; what can be"),
        ("bireal18", ["--shortcut", "pool", "--no-skip"], "has no --shortcut, --no-skip"),
        ("bireal18", ["--activation-scale"], "has no --activation-scale"),
        ("bireal18", ["--drop-path", "0.2"], "drops edges of cells, and bireal18 has no cells"),
        ("bireal18", ["--bases", "2"], "at least 1 and at most 1"),
        ("bireal18", ["--image-size", "12"], "multiple of 8"),
        ("xnor-nin", ["--layers", "3"], "layers: nin has nothing to choose here, expected 0; got"),
        ("Mini", ["--bases", "2"], "Mini has no --bases"),
        ("bireal", [], "unknown network 'bireal' (did you mean bireal"),
    ],
)
def test_mistakes(command, tmp_path, name, options, message):
    status, _, err = command.train(name, *options, small=[])
    assert status == 2
    assert message in err
    assert not (tmp_path / "run").exists()


def test_a_recipe_that_drops_edges(command, tmp_path):
    (tmp_path / "recipe.json").write_text('{"drop_path": 0.1}')
    status, _, err = command.train("bireal18", "--recipe", tmp_path / "recipe.json")
    assert status == 2
    assert "leave it at 0" in err


def test_damaged_models(command, tmp_path):
    import torch

    assert command.train("binarynet-resnet18")[0] == 0
    path = tmp_path / "run" / "model.pt"
    value = load_plain(path)
    for change in (
        {"kind": "forest"}, {"scheme": "abc"}, {"channels": 2048}, {"genotype": {}},
        {"backbone": "nin"}, {"bases": 10**9}, get_config("Mini").to_dict(),
    ):  # fmt: skip
        torch.save({**value, "config": {**value["config"], **change}}, path)
        with pytest.raises((CheckpointError, ConfigError), match=r"model\.pt"):
            load_model(path)
