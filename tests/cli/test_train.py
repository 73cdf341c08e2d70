"""Tests of bnas-train: a small run, resuming it, stopping it, and the messages for mistakes."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from bnas_deploy.cli.train import main
from bnas_deploy.training.product import load_model
from bnas_deploy.training.torch_file import load_plain


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "colours"
    rng = np.random.default_rng(0)
    for split, count in (("train", 12), ("test", 4)):
        for label in ("blue", "red"):
            folder = root / split / label
            folder.mkdir(parents=True)
            for i in range(count):
                pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{i}.png")
    return root


@pytest.fixture
def train(images, tmp_path, capsys):
    def run(*options, out="run", resume=False):
        small = ["--channels", "4", "--layers", "3", "--image-size", "8"]
        fresh = [] if resume else [*small, "--epochs", "2", "--batch", "8", "--drop-path", "0"]
        words = ["--data", str(images), "--out", str(tmp_path / out), *fresh, *options]
        status = main([*words[:4], "--amp", "off", "--threads", "1", *words[4:]])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_a_run_leaves_its_product_metrics_and_checkpoint(train, tmp_path):
    status, out, _ = train("--json", "--dataset-name", "Colours")
    assert status == 0
    model = load_model(tmp_path / "run" / "model.pt")
    assert model.labels == ("blue", "red")
    assert model.preprocessing.size == (8, 8)
    assert model.training["dataset"] == "Colours"
    assert model.training["epochs"] == 2
    assert model.training["recipe"]["batch"] == 8
    assert 0 <= model.training["test_accuracy"] <= 1
    summary = json.loads(out)
    assert summary["test_accuracy"] == model.training["test_accuracy"]
    with (tmp_path / "run" / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[-1]["test_accuracy"]) == model.training["test_accuracy"]
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [
        *("checkpoint.pt", "metrics.csv", "model.pt"),
    ]


def test_resume_goes_on_to_a_new_length(train, tmp_path):
    assert train("--quiet")[0] == 0
    status, _, err = train("--resume", "--epochs", "3", resume=True)
    assert status == 0, err
    assert load_model(tmp_path / "run" / "model.pt").training["epochs"] == 3


def test_a_run_is_not_overwritten(train):
    train("--quiet")
    status, _, err = train()
    assert status == 2
    assert err.startswith("error: ")
    assert "--resume" in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--config", "Z"], "choose one of Mini, A"),
        (["--genotype", "darts"], "latest_cell_zeroise"),
        (["--genotype", "none.json"], "--genotype none.json: cannot be read"),
        (["--recipe", "none.toml"], "none.toml: cannot be read as a recipe"),
        (["--lr", "fast"], "--lr"),
        (["--lr", "-1"], "recipe: lr"),
        (["--schedule", "linear"], "one-cycle"),
        (["--fused", "on"], "--fused on"),
        (["--threads", "0"], "--threads: expected 1 to"),
        (["--data", "nowhere"], "nowhere: no such file or folder"),
        (["--resume"], "checkpoint.pt does not exist"),
        (["--nonsense"], "see bnas-train --help"),
        (["--layers", "2"], "layers must be"),
    ],
)
def test_a_mistake_is_one_line_and_status_two(train, options, message, tmp_path):
    status, out, err = train(*options)
    assert status == 2
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
    assert not (tmp_path / "run").exists()


def test_resume_keeps_its_recipe(train):
    train("--quiet")
    status, _, err = train("--resume", "--lr", "1", resume=True)
    assert status == 2
    assert "leave out --lr" in err


def test_a_recipe_file_and_options_over_it(train, tmp_path):
    (tmp_path / "r.json").write_text(json.dumps({"lr": 0.5, "weight_decay": 0.25}))
    train("--quiet", "--recipe", str(tmp_path / "r.json"), "--lr", "0.125", "--no-flip")
    recipe = load_model(tmp_path / "run" / "model.pt").training["recipe"]
    assert (recipe["lr"], recipe["weight_decay"], recipe["flip"]) == (0.125, 0.25, False)


def test_a_genotype_file(train, tmp_path):
    edges = [["none", 0], ["bin_conv_3x3", 1]] * 4
    (tmp_path / "cell.json").write_text(json.dumps({"normal": edges, "reduce": edges}))
    train("--quiet", "--genotype", str(tmp_path / "cell.json"), "--float")
    model = load_model(tmp_path / "run" / "model.pt")
    assert model.config.genotype.normal[1] == ("bin_conv_3x3", 1)
    assert not model.network.binary


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM to send")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_a_checkpoint_to_resume(train, tmp_path, number):
    timer = threading.Timer(2.0, os.kill, (os.getpid(), number))
    timer.start()
    status, _, err = train("--epochs", "100000", "--evaluate-every", "100000")
    timer.join()
    assert status == 130
    assert "--resume" in err
    assert load_plain(tmp_path / "run" / "checkpoint.pt")["progress"]["epoch"] >= 0
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_loss_that_is_not_a_number_says_where_to_go_on(train, tmp_path):
    status, _, err = train("--lr", "1e38", "--epochs", "20", "--no-flip")
    assert status == 2
    assert "error: the loss became" in err
    assert "checkpoint" in err


def test_help_teaches(capsys):
    with pytest.raises(SystemExit) as info:
        main(["--help"])
    assert info.value.code == 0
    text = capsys.readouterr().out
    assert "examples:" in text
    assert "--resume" in text
    assert "--label-smoothing" in text


def test_help_does_not_wait_for_torch():
    code = "import sys; import bnas_deploy.cli.train; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_tensorboard_that_is_not_there(train, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    status, _, err = train("--tensorboard")
    assert status == 2
    assert "tensorboard is not installed" in err
