"""Tests of the ImageNet recipe: a tiny BNAS-D on a small generated folder of pictures at 224."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from bnas_deploy.cli.train.command import main
from bnas_deploy.converters.from_torch.convert import convert_trained
from bnas_deploy.training.model.trained_model import load_model
from bnas_deploy.training.recipes.recipe import RECIPES


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "colours"
    rng = np.random.default_rng(0)
    for split, count in (("train", 7), ("val", 2)):
        for channel, label in enumerate(("red", "green")):
            folder = root / split / label
            folder.mkdir(parents=True)
            for i in range(count):
                height, width = rng.integers(180, 300, 2)
                pixels = rng.integers(0, 120, (height, width, 3), dtype=np.uint8)
                pixels[..., channel] += 120
                Image.fromarray(pixels).save(folder / f"{i}.jpg")
    return root


@pytest.fixture
def train(pictures, tmp_path, capsys):
    def run(*options):
        words = ["--data", str(pictures), "--out", str(tmp_path / "run"), "--amp", "off"]
        streamed = [] if "--stream" in options and "off" in options else ["--workers", "2"]
        status = main([*words, "--threads", "1", *streamed, *options])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


SMALL = ["--config", "D", "--channels", "4", "--layers", "3", "--batch", "4", "--epochs", "2"]


def test_the_recipe_from_folder_to_packed_network(train, tmp_path):
    status, out, err = train(*SMALL, "--accumulate", "2", "--json")
    assert status == 0, err
    summary = json.loads(out)
    recipe = {**RECIPES["imagenet"].to_dict(), "batch": 4, "epochs": 2, "accumulate": 2}
    assert summary["recipe"] == recipe
    assert (recipe["label_smoothing"], recipe["crop_area"], recipe["crop_padding"]) == (
        0.1,
        0.08,
        0,
    )
    assert (recipe["schedule"], recipe["restart_epochs"]) == ("cosine-restarts", 50)
    assert 0 < summary["epoch_seconds"] < summary["estimated_seconds"]
    model = load_model(tmp_path / "run" / "model.pt")
    assert (model.preprocessing.crop, model.preprocessing.resize) == ((224, 224), 256)
    packed, _ = convert_trained(model)
    assert (packed.preprocessing.resize, packed.preprocessing.crop) == (256, (224, 224))
    status, _, err = train("--resume", "--epochs", "3")
    assert status == 0, err
    assert load_model(tmp_path / "run" / "model.pt").training["epochs"] == 3


def test_pictures_in_memory_cannot_be_cropped_at_random_sizes(train, tmp_path):
    status, _, err = train(*SMALL, "--stream", "off")
    assert status == 2
    assert "crop_area above 0" in err
    assert not (tmp_path / "run").exists()
    status, _, err = train(
        *(*SMALL, "--stream", "off", "--crop-area", "0", "--epochs", "1", "--image-size", "32")
    )
    assert status == 0, err
    assert load_model(tmp_path / "run" / "model.pt").preprocessing.resize == 32


def test_only_a_folder_can_be_streamed(pictures, train, tmp_path):
    (tmp_path / "data.tar").touch()
    status, _, err = train("--data", str(tmp_path / "data.tar"), *SMALL, "--stream", "on")
    assert status == 2
    assert "only a folder can be streamed (--stream on); expected a folder <class>" in err
