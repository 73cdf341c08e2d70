"""Tests of accuracy on folders and tars of pictures, with answers that are known."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from PIL import Image
from support.small_models import mean_colour_model, picture_model

from bnas_deploy.errors import DataError
from bnas_deploy.runtime.evaluate import LabelledPictures, evaluate
from bnas_deploy.runtime.model import Model

LABELS = ("red", "green", "blue")


def picture(file: Path, colour: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (9, 8), colour).save(file)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    picture(root / "test" / "red" / "0.png", "red")
    picture(root / "test" / "red" / "1.png", "blue")
    picture(root / "test" / "blue" / "2.png", "blue")
    picture(root / "test" / "green" / "deep.png", "lime")
    picture(root / "train" / "red" / "9.png", "lime")
    picture(root / "stray.png", "lime")
    return root


def packed_tar(data: Path, mode: str, prefix: str) -> Path:
    path = data.parent / f"data.tar.{mode}"
    with tarfile.open(path, f"w:{mode}") as tar:
        tar.add(data, arcname=prefix)
    return path


@pytest.fixture
def model() -> Model:
    return Model(mean_colour_model(), backend="reference")


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_folder(model: Model, data: Path, batch: int) -> None:
    pictures = LabelledPictures(data, LABELS)
    result = evaluate(model, pictures, batch=batch)
    assert len(pictures) == result.count == 4
    assert result.top_1 == 3
    assert result.top_5 is None
    assert result.errors == []


@pytest.mark.parametrize("mode", ["", "gz", "xz", "bz2"])
@pytest.mark.parametrize("prefix", ["", "some/where"])
def test_tar(model: Model, data: Path, mode: str, prefix: str) -> None:
    tar = packed_tar(data, mode, prefix)
    result = evaluate(model, LabelledPictures(tar, LABELS))
    assert (result.count, result.top_1) == (4, 3)


def test_folder_of_classes_without_a_split(model: Model, data: Path) -> None:
    result = evaluate(model, LabelledPictures(data / "train", LABELS))
    assert (result.count, result.top_1) == (1, 0)


def test_validation_pictures_count_where_there_is_no_test(model: Model, data: Path) -> None:
    (data / "test").rename(data / "val")
    assert evaluate(model, LabelledPictures(data, LABELS)).count == 4


def test_top_5_from_ten_classes(tmp_path: Path) -> None:
    picture(tmp_path / "cat" / "0.png", "red")
    packed = picture_model()
    model = Model(packed, backend="reference")
    rank = [g.label for g in model.predict(tmp_path / "cat" / "0.png", top_k=10)[0].top].index(
        "cat"
    )
    result = evaluate(model, LabelledPictures(tmp_path, packed.labels))
    assert (result.top_1, result.top_5) == (int(rank == 0), int(rank < 5))


def test_threads_change_nothing(data: Path) -> None:
    model = Model(mean_colour_model(), backend="reference", threads=3)
    result = evaluate(model, LabelledPictures(data, LABELS), batch=2)
    assert (result.count, result.top_1) == (4, 3)


def test_unreadable_pictures_are_listed_and_not_counted(model: Model, data: Path) -> None:
    (data / "test" / "red" / "broken.png").write_bytes(b"no")
    result = evaluate(model, LabelledPictures(data, LABELS))
    assert result.count == 4
    (broken,) = result.errors
    assert broken.item.name.endswith("broken.png")
    assert "broken.png" in str(broken.error)


def test_every_answer_is_watched(model: Model, data: Path) -> None:
    seen = []

    def watch(answers: object) -> object:
        for answer in answers:
            seen.append(answer.item.name)
            yield answer

    evaluate(model, LabelledPictures(data, LABELS), watch=watch)
    assert len(seen) == 4


def test_class_folders_that_are_no_labels(data: Path) -> None:
    with pytest.raises(
        DataError, match="not labels of the model: blue, green; the labels are: red"
    ):
        LabelledPictures(data, ("red",))


def test_long_lists_are_cut(data: Path) -> None:
    with pytest.raises(DataError, match=r"label 11, … \(40 in all\)"):
        LabelledPictures(data, tuple(f"label {i}" for i in range(40)))


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no pictures in folders"):
        LabelledPictures(tmp_path, LABELS)
    with pytest.raises(DataError, match="No such file"):
        LabelledPictures(tmp_path / "nix", LABELS)


@pytest.mark.parametrize("mode", ["gz", "xz", "bz2"])
def test_broken_tar(data: Path, mode: str) -> None:
    tar = packed_tar(data, mode, "")
    whole = tar.read_bytes()
    tar.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"data\.tar"):
        LabelledPictures(tar, LABELS)
    tar.write_bytes(b"hello")
    with pytest.raises(
        DataError, match="this is a text that begins 'hello'; expected a folder or a tar"
    ):
        LabelledPictures(tar, LABELS)
