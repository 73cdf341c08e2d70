"""Fixtures of the commands' tests: pictures, and calls that give status, output and errors."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from support.coloured_pictures import COLOURS, write_pictures
from support.small_models import mean_colour_model, written

from bnas_deploy.cli.search import command as bnas_search
from bnas_deploy.cli.train import command as bnas_train


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Two classes, 12 pictures of 8 by 8 for training and 4 for testing in each."""
    root = tmp_path_factory.mktemp("data") / "colours"
    return write_pictures(root, ("red", "blue"), train=12, test=4)


@pytest.fixture
def train(images, tmp_path, capsys):
    """Calls bnas-train on the pictures; returns status, output, errors."""

    def run(*options, out="run", resume=False):
        small = ["--channels", "4", "--layers", "3", "--image-size", "8"]
        fresh = [] if resume else [*small, "--epochs", "2", "--batch", "8", "--drop-path", "0"]
        words = ["--data", str(images), "--out", str(tmp_path / out), *fresh, *options]
        status = bnas_train.main([*words[:4], "--amp", "off", "--threads", "1", *words[4:]])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def search(images, tmp_path, capsys):
    """Calls bnas-search on the pictures; returns status, output, errors."""

    def run(*options, out="run", resume=False, pictures=False):
        small = ["--cells", "3", "--channels", "2", "--image-size", "8", "--epochs", "2"]
        words = ["--data", str(images), "--out", str(tmp_path / out), "--amp", "off"]
        words += ["--threads", "1", *([] if pictures else ["--no-pictures"])]
        status = bnas_search.main([*words, *([] if resume else [*small, "--batch", "4"]), *options])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with model.bnn and one picture a colour."""
    written(tmp_path, mean_colour_model())
    for name, colour in COLOURS.items():
        Image.new("RGB", (9, 12), colour).save(tmp_path / f"{name}.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BNAS_BACKEND", "reference")
    monkeypatch.delenv("BNAS_ISA", raising=False)
    return tmp_path
