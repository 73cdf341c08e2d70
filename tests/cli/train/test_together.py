"""Tests of bnas-train in two processes, as torchrun starts it: results, files, messages, resuming.

The networks are float counterparts: of a binary one only the first step can be compared, since
rounding decides ties (see `tests/nn/data_parallel_worker.py`, which compares those).
"""

from __future__ import annotations

import csv
import json
import shutil

import pytest
import torch
from support.coloured_pictures import write_pictures
from support.parallel_processes import run_together

from bnas_deploy.checkpoints.torch_file import load_plain
from bnas_deploy.cli.train.command import main

NETWORK = ["--channels", "4", "--layers", "3", "--image-size", "8", "--float"]
RECIPE = ["--batch", "10", "--accumulate", "2", "--epochs", "2", "--drop-path", "0.3"]
RECIPE += ["--average", "0.5"]
MACHINE = ["--amp", "off", "--device", "cpu"]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "colours"
    return write_pictures(root, ("red", "green", "blue"), train=14, test=5)


def options(images, out, *more):
    return ["--data", str(images), "--out", str(out), *MACHINE, *more]


def alone(images, out, *more):
    assert main(options(images, out, "--threads", "1", "--quiet", *more)) == 0


def together(images, out, *more):
    return run_together(["-m", "bnas_deploy.cli.train.command", *options(images, out, *more)])


def rows(folder):
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def assert_alike(one, two):
    want, got = (load_plain(folder / "checkpoint.pt") for folder in (one, two))
    for name, value in want["state_dict"].items():
        assert torch.allclose(got["state_dict"][name], value, rtol=1e-3, atol=1e-5), name
    for name, value in want["best"].items():
        assert torch.allclose(got["best"][name], value, rtol=1e-3, atol=1e-5), name
    assert got["random"]["torch"].equal(want["random"]["torch"])
    for a, b in zip(rows(one), rows(two), strict=True):
        for name in ("lr", "train_loss", "train_accuracy", "test_accuracy"):
            assert float(b[name]) == pytest.approx(float(a[name]), abs=1e-4), name


@pytest.fixture(scope="module", params=["off", "on"], ids=["memory", "stream"])
def pair(request, images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    fresh = (*NETWORK, *RECIPE, "--stream", request.param)
    alone(images, folder / "one", *fresh)
    return folder, fresh, together(images, folder / "two", *fresh, "--json")


def test_two_processes_train_as_one(pair):
    folder, _, processes = pair
    assert [process.returncode for process in processes] == [0, 0], processes[0].stderr
    assert_alike(folder / "one", folder / "two")
    assert len(rows(folder / "one")) == 2


def test_only_the_first_process_speaks(pair):
    folder, _, (first, second) = pair
    summary = json.loads(first.stdout)
    assert summary["runtime"].startswith("2 processes on CPU, 1 threads, float32")
    assert 0 < summary["epoch_seconds"] < summary["estimated_seconds"]
    assert summary["images_per_second"] > 0
    assert "images/s)" in first.stderr
    assert (second.stdout, second.stderr) == ("", "")
    assert sorted(path.name for path in (folder / "two").iterdir()) == [
        *("checkpoint.pt", "metrics.csv", "model.pt", "report"),
    ]


def test_one_process_resumes_what_two_began_and_the_reverse(pair, images, tmp_path):
    folder, fresh, _ = pair
    for name in ("one", "two"):
        shutil.copytree(folder / name, tmp_path / name)
    stream = fresh[-2:]
    alone(images, tmp_path / "two", "--resume", "--epochs", "3", *stream)
    done = together(images, tmp_path / "one", "--resume", "--epochs", "3", *stream)
    assert [process.returncode for process in done] == [0, 0], done[0].stderr
    assert_alike(tmp_path / "two", tmp_path / "one")
    assert len(rows(tmp_path / "one")) == 3


def test_a_run_that_diverges_is_stopped_by_all_and_told_by_one(images, tmp_path):
    first, second = together(
        images,
        tmp_path / "run",
        *NETWORK,
        *RECIPE,
        "--schedule",
        "cosine-restarts",
        "--lr",
        "1000000",
    )
    assert (first.returncode, second.returncode) == (2, 2)
    assert first.stderr.count("error: ") == 1
    assert "the first thing in the network that is not finite is the" in first.stderr
    assert second.stderr == ""


def test_a_mistake_is_told_once(images, tmp_path):
    first, second = together(images, tmp_path / "run", *NETWORK, "--batch", "1")
    assert (first.returncode, second.returncode) == (2, 2)
    assert "a batch of 1 images cannot be shared by 2 processes" in first.stderr
    assert second.stderr == ""


STOP = """
import sys
from bnas_deploy.cli.train.command import main
from bnas_deploy.training.run.loop import Trainer

step = Trainer._step

def step_with_a_signal(trainer, batch):
    trainer.stop = trainer.group.rank == 1 and trainer.progress.step == 1
    return step(trainer, batch)

Trainer._step = step_with_a_signal
sys.exit(main())
"""


def test_a_signal_to_one_process_stops_all_after_the_same_step(images, tmp_path):
    words = options(images, tmp_path / "run", *NETWORK, *RECIPE)
    first, second = run_together(["-c", STOP, *words])
    assert (first.returncode, second.returncode) == (130, 130)
    assert first.stderr.count("stopped; go on with: torchrun") == 1
    assert second.stderr == ""
    progress = load_plain(tmp_path / "run" / "checkpoint.pt")["progress"]
    assert (progress["epoch"], progress["step"]) == (0, 2)
