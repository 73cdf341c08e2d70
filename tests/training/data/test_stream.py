"""Tests of image folders that are read as they are needed."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest
from PIL import Image

from bnas_deploy.errors import DataError
from bnas_deploy.training.data import stream
from bnas_deploy.training.data.crops import RandomCrop
from bnas_deploy.training.data.images import load_data
from bnas_deploy.training.data.stream import open_folder

CROP = RandomCrop(8, 0.3, 1, True)


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for split, count in (("train", 5), ("test", 2)):
        for label in ("bee", "ant"):
            (tmp_path / split / label).mkdir(parents=True)
            for i in range(count):
                pixels = rng.integers(0, 256, (9 + i, 12, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / split / label / f"{i}.png")
    (tmp_path / "train" / "notes.txt").write_text("hello")
    (tmp_path / "train" / "ant" / "notes.txt").write_text("hello")
    return tmp_path


def crops(data, parts, **options):
    options = {"seed": 1, "epoch": 0, **options}
    return list(data.train.crops([np.array(part) for part in parts], CROP, **options))


def test_it_lists_what_reading_into_memory_finds(folder):
    streamed, loaded = open_folder(folder, size=8, resize=8), load_data(folder, image_size=8)
    assert streamed.classes == loaded.classes == ("ant", "bee")
    assert streamed.name == loaded.name
    for split in ("train", "test"):
        ours, theirs = getattr(streamed, split), getattr(loaded, split)
        assert len(ours) == len(theirs)
        assert np.array_equal(ours.labels, theirs.labels)
        (pixels,) = ours.parts([slice(0, len(ours))])
        assert np.array_equal(pixels, theirs.images)


def test_evaluation_cuts_the_centre_out_of_a_larger_picture(folder):
    test = open_folder(folder, size=4, resize=9).test
    (whole,) = open_folder(folder, size=9, resize=9).test.parts([slice(0, 4)])
    parts = list(test.parts([slice(0, 3), slice(3, 6)]))
    assert [len(part) for part in parts] == [3, 1]
    # The first picture of each class is 12 x 9 pixels: nothing is resized.
    assert np.array_equal(np.concatenate(parts)[::2], whole[::2, 2:6, 3:7])


def test_crops_depend_on_seed_epoch_and_image_alone(folder):
    one = open_folder(folder, size=8, resize=8, workers=1)
    many = open_folder(folder, size=8, resize=8, workers=5)
    straight = np.concatenate(crops(one, [[3, 1], [4, 1, 0]]))
    assert np.array_equal(np.concatenate(crops(many, [[3], [1, 4], [1], [0]])), straight)
    assert np.array_equal(straight[1], straight[3])
    assert not np.array_equal(crops(one, [[3]], epoch=1)[0], straight[:1])
    assert not np.array_equal(crops(one, [[3]], seed=2)[0], straight[:1])


def test_it_reads_only_a_little_ahead(folder, monkeypatch):
    opened = []
    monkeypatch.setattr(stream, "open_rgb", lambda p: opened.append(p) or Image.new("RGB", (8, 8)))
    train = open_folder(folder, size=8, resize=8, workers=2).train
    with closing(train.crops([np.array([i]) for i in range(10)], CROP, seed=0, epoch=0)) as batches:
        next(batches)
    assert 1 <= len(opened) <= 3


def test_a_damaged_image_is_named_when_it_is_read(folder):
    (folder / "train" / "bee" / "0.png").write_bytes(b"\x89PNG broken")
    data = open_folder(folder, size=8, resize=8)
    with pytest.raises(
        DataError, match=r"bee/0.png: not a picture in a format that is read here .*; "
    ):
        crops(data, [range(10)])


def test_nothing_to_learn_from(folder):
    (folder / "train").rename(folder / "other")
    with pytest.raises(DataError, match="but none in train to learn from; expected a folder"):
        open_folder(folder, size=8, resize=8)
