"""Tests of bnas-train: a small run, resuming it, stopping it, and the messages for mistakes."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import fields

import pytest
import torch

from bnas_deploy.checkpoints.torch_file import load_plain
from bnas_deploy.cli.train import display
from bnas_deploy.cli.train.command import main
from bnas_deploy.cli.train.recipe_help import RECIPE_HELP
from bnas_deploy.nn.genotype import DARTS_V2
from bnas_deploy.training.model.trained_model import load_model
from bnas_deploy.training.recipes.recipe import Recipe
from bnas_deploy.training.run.loop import Trainer


def test_a_run_leaves_its_product_metrics_and_checkpoint(train, tmp_path):
    status, out, _ = train("--json", "--dataset-name", "Colours")
    assert status == 0
    model = load_model(tmp_path / "run" / "model.pt")
    assert model.labels == ("blue", "red")
    assert model.preprocessing.crop == (8, 8)
    assert model.training["dataset"] == "Colours"
    assert model.training["epochs"] == 2
    assert model.training["recipe"]["batch"] == 8
    assert 0 <= model.training["test_accuracy"] <= 1
    (phase,) = model.training["phases"]
    assert (phase["from_epoch"], phase["epochs"], phase["lr"]) == (0, 2, 0.05)
    assert phase["runtime"] == model.training["runtime"] == "CPU, 1 threads, float32"
    summary = json.loads(out)
    assert "history" not in summary
    assert summary["test_accuracy"] == model.training["test_accuracy"]
    with (tmp_path / "run" / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[-1]["test_accuracy"]) == model.training["test_accuracy"]
    assert [str(row["lr"]) for row in model.training["history"]] == [row["lr"] for row in rows]
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [
        *("checkpoint.pt", "metrics.csv", "model.pt", "report"),
    ]
    assert summary["report"] == str(tmp_path / "run" / "report" / "index.html")
    report = json.loads((tmp_path / "run" / "report" / "report.json").read_text())
    assert report["top_1"] == model.training["test_accuracy"]
    assert report["data"] == "Colours"


def test_a_folder_of_classes_alone(train, images, tmp_path):
    classes = tmp_path / "mine"
    shutil.copytree(images / "train", classes)
    (classes / "red" / "notes.txt").write_text("hello")
    status, out, err = train("--json", "--data", str(classes))
    assert status == 0, err
    assert "model.pt will be the best epoch by 2 validation images" in err
    assert "left out, no picture by its ending: red/notes.txt" in err
    summary = json.loads(out)
    assert summary["images"] == {"train": 22, "validation": 2, "test": 0}
    assert summary["test_accuracy"] is None
    assert summary["skipped"] == {"no picture by its ending": 1}
    run = tmp_path / "run"
    assert (run / "skipped.txt").read_text() == "no picture by its ending: red/notes.txt\n"
    assert load_model(run / "best.pt").training["best_epoch"] in (1, 2)
    status, _, err = train("--resume", "--epochs", "3", "--data", str(classes), resume=True)
    assert status == 0, err


def test_resume_goes_on_to_a_new_length_and_says_so(train, tmp_path):
    assert train("--quiet", "--dataset-name", "Colours")[0] == 0
    status, _, err = train("--resume", "--epochs", "3", "--lr", "0.25", resume=True)
    assert status == 0, err
    training = load_model(tmp_path / "run" / "model.pt").training
    assert training["epochs"] == 3
    assert training["dataset"] == "Colours"
    assert [row["epoch"] for row in training["history"]] == [1, 2, 3]
    phases = [(p["from_epoch"], p["epochs"], p["lr"]) for p in training["phases"]]
    assert phases == [(0, 2, 0.05), (2, 3, 0.25)]


def test_weights_of_another_model_and_what_begins_anew(train, tmp_path):
    assert train("--quiet")[0] == 0
    first = tmp_path / "run" / "model.pt"
    options = ("--init", str(first), "--shortcut", "pool1x1", "--epochs", "1", "--lr", "1e-30")
    status, _, err = train(*options, "--momentum", "0", "--momentum-swing", "0", out="second")
    assert status == 0, err
    new = ["cells.1.preprocess_res.2", "cells.2.preprocess_res.2"]
    assert f"starts from the weights of model.pt; layers that begin anew: {', '.join(new)}" in err
    before, after = load_model(first), load_model(tmp_path / "second" / "model.pt")
    weights, same = before.network.state_dict(), after.network.state_dict()
    # A step centres binary weights again; those of the stem are as they were.
    name = "stem.op.0.weight"
    assert torch.equal(weights[name], same[name])
    assert after.training["initial"] == {
        "file": "model.pt",
        "epochs": 2,
        "dataset": "colours",
        "test_accuracy": before.training["test_accuracy"],
        "new": new,
    }


def test_where_the_weights_came_from_is_kept(train, tmp_path):
    train("--quiet")
    assert train("--init", str(tmp_path / "run" / "model.pt"), out="second")[0] == 0
    status, _, err = train("--resume", "--epochs", "3", out="second", resume=True)
    assert status == 0, err
    assert "starts from" not in err
    training = load_model(tmp_path / "second" / "model.pt").training
    assert training["initial"]["file"] == "model.pt"
    assert training["initial"]["new"] == []


def test_a_run_that_goes_on_does_not_begin_with_weights_again(train, tmp_path, monkeypatch):
    train("--quiet")
    step = Trainer._step

    def last_step(trainer, batch):
        trainer.stop = True
        return step(trainer, batch)

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "_step", last_step)
        status, _, err = train("--init", str(tmp_path / "run" / "model.pt"), out="second")
    assert status == 130
    assert "starts from the weights of model.pt" in err
    status, _, err = train("--resume", out="second", resume=True)
    assert status == 0, err
    assert "starts from" not in err


def test_gradients_of_a_resumed_run(train, tmp_path):
    assert train("--quiet", "--gradients")[0] == 0
    assert train("--resume", "--epochs", "3", "--gradients", resume=True)[0] == 0
    with (tmp_path / "run" / "gradients.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted({row["epoch"] for row in rows}) == ["1", "2", "3"]
    assert {row["steps"] for row in rows} == {"3"}
    assert rows[0]["name"] == "stem.op.0"
    assert all(float(row["most"]) >= float(row["mean"]) >= 0 for row in rows)
    assert sum(float(row["mean"]) for row in rows) > 0


def test_resuming_a_finished_run_restores_its_product(train, tmp_path):
    train("--quiet")
    before = load_model(tmp_path / "run" / "model.pt").training
    (tmp_path / "run" / "model.pt").unlink()
    status, _, err = train("--resume", resume=True)
    assert status == 0
    assert "all 2 epochs are done; add --epochs N for more" in err
    assert load_model(tmp_path / "run" / "model.pt").training == before


def test_resume_from_before_names_and_phases_were_kept(train, tmp_path):
    train("--quiet")
    path = tmp_path / "run" / "checkpoint.pt"
    value = load_plain(path)
    del value["phases"], value["dataset"]
    torch.save(value, path)
    assert train("--resume", "--epochs", "3", resume=True)[0] == 0
    training = load_model(tmp_path / "run" / "model.pt").training
    assert training["dataset"] == "colours"
    assert [phase["from_epoch"] for phase in training["phases"]] == [2]


def test_schemes_travel_in_the_product(train, tmp_path):
    options = ("--no-skip", "--activation-scale", "--centre-depthwise", "--genotype", "darts_v2")
    assert train("--quiet", *options)[0] == 0
    config = load_model(tmp_path / "run" / "model.pt").network.config
    assert (config.skips, config.activation_scale, config.centre_depthwise) == (False, True, True)
    assert config.genotype == DARTS_V2


def test_a_preset_says_what_it_sets_and_options_change_it(train, tmp_path):
    status, _, err = train("--preset", "small-data", "--batch", "6")
    assert status == 0, err
    assert "preset small-data: epochs 2, batch 6, optimizer adam, lr 0.002" in err
    recipe = load_model(tmp_path / "run" / "model.pt").training["recipe"]
    assert (recipe["epochs"], recipe["batch"], recipe["holdout"]) == (2, 6, 0.2)


def test_a_recipe_file_and_options_over_it(train, tmp_path):
    (tmp_path / "r.json").write_text(json.dumps({"lr": 0.5, "weight_decay": 0.25}))
    train("--quiet", "--recipe", str(tmp_path / "r.json"), "--lr", "0.125", "--no-flip")
    recipe = load_model(tmp_path / "run" / "model.pt").training["recipe"]
    assert (recipe["lr"], recipe["weight_decay"], recipe["flip"]) == (0.125, 0.25, False)


def test_the_shortcut_goes_through_resuming_into_the_product(train, tmp_path):
    train("--quiet", "--shortcut", "pool")
    status, _, _ = train("--quiet", "--resume", "--epochs", "3", resume=True)
    assert status == 0
    model = load_model(tmp_path / "run" / "model.pt")
    assert model.config.shortcut == "pool"
    assert model.training["epochs"] == 3
    assert "cells.1.preprocess_res.1.weight" not in model.network.state_dict()


def test_a_genotype_file(train, tmp_path):
    edges = [["none", 0], ["bin_conv_3x3", 1]] * 4
    (tmp_path / "cell.json").write_text(json.dumps({"normal": edges, "reduce": edges}))
    train("--quiet", "--genotype", str(tmp_path / "cell.json"), "--float")
    model = load_model(tmp_path / "run" / "model.pt")
    assert model.config.genotype.normal[1] == ("bin_conv_3x3", 1)
    assert not model.network.binary


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM to send")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_a_checkpoint_to_resume(train, tmp_path, number, monkeypatch):
    before = signal.getsignal(signal.SIGINT)
    step = Trainer._step

    def step_with_a_signal(trainer, batch):
        if trainer.progress.step == 1:
            os.kill(os.getpid(), number)
        return step(trainer, batch)

    monkeypatch.setattr(Trainer, "_step", step_with_a_signal)
    status, _, err = train()
    assert status == 130
    assert f"--out {tmp_path / 'run'} --resume --amp off\n" in err
    progress = load_plain(tmp_path / "run" / "checkpoint.pt")["progress"]
    assert (progress["epoch"], progress["step"]) == (0, 2)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM to send")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_the_first_step_is_done_ends_at_once(train, tmp_path, number, monkeypatch):
    monkeypatch.setattr(Trainer, "_step", lambda *_: os.kill(os.getpid(), number))
    status, _, err = train()
    assert status == 130
    assert "stopped" not in err
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


@pytest.mark.parametrize(
    ("epoch", "advice"),
    [(0, "begin again"), (1, "go on from {}/checkpoint.pt (the last good one, after 1 epochs)")],
)
def test_a_loss_that_is_not_a_number_says_what_to_do(train, tmp_path, monkeypatch, epoch, advice):
    step = Trainer._step

    def spoiled_step(trainer, batch):
        if trainer.progress.epoch == epoch:
            trainer.network.classifier.bias.data.fill_(float("nan"))
        return step(trainer, batch)

    monkeypatch.setattr(Trainer, "_step", spoiled_step)
    status, _, err = train()
    assert status == 2
    assert f"error: the loss became nan in epoch {epoch + 1}, step 1" in err
    assert advice.format(tmp_path / "run") in err


def test_help_teaches(capsys):
    with pytest.raises(SystemExit) as info:
        main(["--help"])
    assert info.value.code == 0
    text = capsys.readouterr().out
    assert "examples:" in text
    assert "--resume" in text
    assert "--label-smoothing" in text
    assert "--shortcut {conv,pool1x1,binary,pool}" in text
    assert set(RECIPE_HELP) == {field.name for field in fields(Recipe)}


def test_help_does_not_wait_for_torch():
    code = "import sys; import bnas_deploy.cli.train.command; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_first_line_says_that_freed_memory_is_kept(train, monkeypatch):
    for kept, told in ((True, "; freed memory is kept for the next step"), (False, "")):
        monkeypatch.setattr(display, "keep_freed_memory", lambda kept=kept: kept)
        _, _, err = train("--epochs", "1", out=f"run-{kept}")
        assert err.splitlines()[0] == f"Mini: CPU, 1 threads, float32{told}"
