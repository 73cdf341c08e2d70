"""Tests of finding splits and classes among names of files."""

from __future__ import annotations

import pytest

from bnas_deploy.errors import DataError
from bnas_deploy.runtime.class_folders import lay_out

CATS, DOGS = ("cat/0.jpg", "cat/1.PNG"), ("dog/0.tif",)


def under(*folders, names=(*CATS, *DOGS)):
    return [f"{folder}{name}" for folder in folders for name in names]


def classes(names, known=()):
    pictures = lay_out(names, known).pictures
    return {split: sorted(set(rows.values())) for split, rows in pictures.items()}


@pytest.mark.parametrize("prefix", ["", "./", "pets/", "some/where/"])
def test_classes_without_a_split(prefix):
    assert classes(under(prefix)) == {"": ["cat", "dog"]}


@pytest.mark.parametrize("prefix", ["", "./", "pets/"])
@pytest.mark.parametrize("val", ["val", "valid", "validation", "Validation", "test", "TEST"])
def test_splits_whatever_they_are_called(prefix, val):
    found = classes(under(f"{prefix}Train/", f"{prefix}{val}/"))
    split = "test" if val.lower() == "test" else "val"
    assert found == {"train": ["cat", "dog"], split: ["cat", "dog"]}


def test_pictures_below_a_class_belong_to_it():
    layout = lay_out(under("train/", "val/", names=("cat/a/b/0.jpg", "dog/0.jpg")))
    assert layout.pictures["train"] == {"train/cat/a/b/0.jpg": "cat", "train/dog/0.jpg": "dog"}


def test_a_class_may_be_called_like_a_split():
    assert classes(["train/test/0.jpg", "train/other/0.jpg"]) == {"train": ["other", "test"]}


def test_a_folder_that_bears_a_known_name_is_a_class():
    names = ["cat/old/0.jpg", "cat/new/1.jpg"]
    assert classes(names) == {"": ["new", "old"]}
    assert classes(names, known=("cat", "dog")) == {"": ["cat"]}


def test_what_is_skipped_is_listed_by_its_reason():
    names = [
        "train/cat/0.jpg",
        "train/cat/notes.txt",
        "train/1.jpg",
        "cover.jpg",
        "extra/cat/2.jpg",
    ]
    layout = lay_out([*names, "train/cat/._0.jpg", "train/.DS_Store", "train/.git/config"])
    assert layout.names == ["train/cat/0.jpg"]
    assert layout.skipped == {
        "no picture by its ending": ["train/cat/notes.txt"],
        "in no folder of a class": ["train/1.jpg"],
        "beside the folders of the splits": ["cover.jpg", "extra/cat/2.jpg"],
    }


def test_a_class_that_one_split_lacks_is_named():
    layout = lay_out([*under("train/"), "val/cat/0.jpg"])
    with pytest.raises(DataError, match="photos: no pictures in val of dog; every split needs"):
        layout.check_classes("photos")
    layout = lay_out([*under("val/"), "train/cat/0.jpg"])
    with pytest.raises(DataError, match="no pictures in train of dog"):
        layout.check_classes("photos")


def test_nothing():
    assert lay_out([]).pictures == {}
    assert lay_out(["0.jpg"]).pictures == {}
