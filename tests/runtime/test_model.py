"""Tests of `load` and `Model`: known answers, every kind of picture, batches, threads, mistakes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.small_models import CIFAR10, mean_colour_model, picture_model, written

import bnas_deploy
from bnas_deploy.cpus import usable_cpus
from bnas_deploy.errors import BackendError, FormatError, ImageError, UsageError
from bnas_deploy.runtime.model import Model


@pytest.fixture
def model() -> Model:
    return Model(mean_colour_model(), backend="reference")


def plain(colour: object, size: tuple[int, int] = (20, 11)) -> Image.Image:
    return Image.new("RGB", size, colour)


def test_load_and_attributes(tmp_path: Path) -> None:
    path = written(tmp_path, picture_model())
    model = bnas_deploy.load(path, backend="reference", threads=2)
    assert isinstance(model, bnas_deploy.Model)
    assert model.labels == CIFAR10
    assert model.backend == "reference"
    assert model.isa is None
    assert model.threads == min(2, usable_cpus())
    assert model.input_shape == (3, 8, 8)
    assert model.preprocessing == model.packed.preprocessing
    assert model.preprocessing.resize == 8
    assert "3x8x8" in repr(model)


def test_known_answers_for_every_kind_of_picture(model: Model, tmp_path: Path) -> None:
    green = tmp_path / "green.png"
    plain("lime").save(green)
    pictures = [str(green), green, green.read_bytes(), plain("lime"), np.asarray(plain("lime"))]
    for prediction in model.predict(pictures, top_k=3):
        assert prediction.label == "green"
        assert prediction.index == 1
        # Logits are 9 * (colour / 255 - 0.5) / 0.5: 9 for green, -9 for the others.
        assert prediction.probability == pytest.approx(1 / (1 + 2 * np.exp(-18)))
        assert [guess.label for guess in prediction.top] == ["green", "red", "blue"]


@pytest.mark.parametrize("kind", ["image", "array", "path", "bytes"])
def test_one_picture_without_a_list(model: Model, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "blue.png"
    plain("blue").save(file)
    picture = {
        "image": plain("blue"), "array": np.asarray(plain("blue")), "path": str(file),
        "bytes": file.read_bytes(),
    }[kind]  # fmt: skip
    assert [p.label for p in model.predict(picture)] == ["blue"]


@pytest.mark.parametrize("batch", [1, 2, 3, 4, 64])
def test_batches_change_nothing(model: Model, batch: int) -> None:
    colours = ["red", "blue", "lime", "blue"]
    labels = [p.label for p in model.predict((plain(c) for c in colours), batch=batch)]
    assert labels == ["red", "blue", "green", "blue"]


def test_no_pictures(model: Model) -> None:
    assert model.predict([]) == []
    assert model.preprocess([]).shape == (0, 3, 8, 8)
    assert model.run(model.preprocess([])).shape == (0, 3)


def test_preprocess_then_run_is_predict() -> None:
    model = Model(picture_model(), backend="reference")
    rng = np.random.default_rng(3)
    pictures = [rng.integers(0, 256, (9, 13, 3)).astype(np.uint8) for _ in range(3)]
    x = model.preprocess(pictures)
    assert x.shape == (3, 3, 8, 8)
    assert x.dtype == np.float32
    logits = model.run(x)
    assert logits.dtype == np.float32
    assert [p.index for p in model.predict(pictures)] == logits.argmax(axis=1).tolist()


def test_many_threads_share_a_model() -> None:
    model = Model(picture_model(), backend="reference")
    rng = np.random.default_rng(4)
    pictures = [rng.integers(0, 256, (12, 8, 3)).astype(np.uint8) for _ in range(24)]
    alone = [model.predict(p, top_k=10)[0] for p in pictures]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda p: model.predict(p, top_k=10)[0], pictures))
    assert together == alone


def test_an_unreadable_picture_is_named(model: Model) -> None:
    with pytest.raises(ImageError, match=r"nix\.jpg"):
        model.predict([plain("red"), "nix.jpg"])


def test_something_that_is_no_picture(model: Model) -> None:
    with pytest.raises(UsageError, match="got int"):
        model.predict(5)
    with pytest.raises(ImageError, match="NoneType"):
        model.predict([None])


def test_wrong_dtype(model: Model) -> None:
    with pytest.raises(UsageError, match="float32"):
        model.run(np.zeros((1, 3, 8, 8)))


def test_a_network_of_grey_pictures(tmp_path: Path) -> None:
    model = Model(picture_model(channels=1), backend="reference")
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (8, 8, 3), np.uint8)
    r, g, b = np.moveaxis(colours.astype(np.int64), 2, 0)
    grey = ((19595 * r + 38470 * g + 7471 * b + 32768) >> 16).astype(np.uint8)
    Image.fromarray(colours).save(tmp_path / "colours.png")
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "grey16.png")
    names = ("colours.png", "grey.png", "grey16.png")
    same = [*(tmp_path / name for name in names), colours, grey, grey[..., None]]
    for picture in same:
        assert np.array_equal(model.pixels(picture), grey[..., None])
    x = model.preprocess(same)
    assert x.shape == (6, 1, 8, 8)
    mean, std = (np.float32(v[0]) for v in (model.preprocessing.mean, model.preprocessing.std))
    assert np.array_equal(x[0, 0], (grey.astype(np.float32) / np.float32(255) - mean) / std)
    assert len(set(model.predict(same, top_k=10))) == 1


def test_a_grey_picture_of_another_size() -> None:
    model = Model(picture_model(channels=1), backend="reference")
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (19, 30), np.uint8))
    whole = np.asarray(image.resize((13, 8), Image.Resampling.BILINEAR))
    assert np.array_equal(model.pixels(image)[..., 0], whole[:, 2:10])


@pytest.mark.parametrize("channels", [2, 4])
def test_a_network_whose_input_is_no_picture(channels: int) -> None:
    model = Model(picture_model(channels=channels), backend="reference")
    message = rf"{channels} channels, .* \(N, {channels}, 8, 8\).*run\(\)"
    with pytest.raises(FormatError, match=message):
        model.predict(plain("red"))
    assert model.run(np.zeros((2, channels, 8, 8), np.float32)).shape == (2, 10)


def test_load_mistakes(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no such file"):
        bnas_deploy.load(tmp_path / "nix.bnn", backend="reference")
    path = written(tmp_path, picture_model())
    with pytest.raises(BackendError, match="unknown backend"):
        bnas_deploy.load(path, backend="abacus")
    for threads in (0, "2"):
        with pytest.raises(UsageError, match="threads must be a whole number of at least 1"):
            bnas_deploy.load(path, backend="reference", threads=threads)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FormatError):
        bnas_deploy.load(path, backend="reference")
