"""Training sees the pixels that a packed network sees, whatever form a picture has."""

from __future__ import annotations

import tarfile

import numpy as np
import pytest
from PIL import Image
from support.odd_pictures import UPRIGHT, odd_pictures
from support.small_models import mean_colour_model

from bnas_deploy.runtime.evaluate import LabelledPictures
from bnas_deploy.runtime.images import open_rgb
from bnas_deploy.runtime.model import Model
from bnas_deploy.training.data.crops import RandomCrop
from bnas_deploy.training.data.images import load_data
from bnas_deploy.training.data.stream import open_folder

ODD = odd_pictures()
NAMES = sorted(ODD)
LABELS = ("blue", "red")
SIDE = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("odd") / "pictures"
    for split in ("train", "test"):
        for label in LABELS:
            (root / split / label).mkdir(parents=True)
        for name, (content, _) in ODD.items():
            (root / split / "red" / name).write_bytes(content)
        Image.fromarray(UPRIGHT).save(root / split / "blue" / "plain.png")
    return root


@pytest.fixture(scope="module")
def tar(folder):
    path = folder.with_suffix(".tar")
    with tarfile.open(path, "w") as archive:
        archive.add(folder, arcname="pictures")
    return path


@pytest.fixture(scope="module")
def model():
    """Takes 8 by 8 pixels of pictures whose shorter side is resized to 8."""
    return Model(mean_colour_model(), backend="reference")


@pytest.mark.parametrize("name", NAMES)
def test_the_pixels_are_those_that_people_see(name):
    content, meant = ODD[name]
    assert np.array_equal(np.asarray(open_rgb(content, name)), meant)


def test_training_in_memory_sees_what_the_packed_network_sees(folder, tar, model):
    expected = np.stack([model.pixels(folder / "train" / "red" / name) for name in NAMES])
    for source in (folder, tar):
        data = load_data(source, image_size=SIDE)
        for split in (data.train, data.test):
            assert split.labels.tolist() == [0] + [1] * len(NAMES)
            assert np.array_equal(split.images[1:], expected)


def test_streamed_training_sees_it_too(folder, model):
    data = open_folder(folder, size=SIDE, resize=SIDE)
    expected = np.stack([model.pixels(path) for path in data.train.paths])
    (centres,) = data.test.parts([slice(0, len(data.test))])
    assert np.array_equal(centres, expected)
    parts = [np.arange(len(data.train))]
    (crops,) = data.train.crops(parts, RandomCrop(SIDE), seed=0, epoch=0)
    assert np.array_equal(crops, expected)


def test_random_crops_are_cut_out_of_the_same_pixels(folder):
    train = open_folder(folder, size=SIDE, resize=SIDE).train
    crop, chosen = RandomCrop(SIDE, 0.3, 0, True), np.arange(len(train))
    (crops,) = train.crops([chosen], crop, seed=3, epoch=1)
    meant = {"plain.png": UPRIGHT, **{name: pixels for name, (_, pixels) in ODD.items()}}
    for index, path in enumerate(train.paths):
        pixels = Image.fromarray(meant[path.rpartition("/")[2]])
        expected = crop(pixels, np.random.default_rng((3, 1, index)), path)
        assert np.array_equal(crops[index], expected), path


def test_training_and_evaluation_count_the_same_files(folder, tar):
    (folder / "test" / "red" / "._exif1.png").write_bytes(b"resource fork")
    (folder / "test" / ".ipynb_checkpoints").mkdir()
    (folder / "test" / ".ipynb_checkpoints" / "exif1.png").write_bytes(b"leavings")
    (folder / "test" / "red" / "notes.txt").write_text("hello")
    count = len(NAMES) + 1
    assert len(load_data(folder, image_size=SIDE).test) == count
    assert len(open_folder(folder, size=SIDE, resize=SIDE).test) == count
    assert len(LabelledPictures(folder, LABELS)) == count
    assert len(LabelledPictures(tar, LABELS)) == count
