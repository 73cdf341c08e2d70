"""Tests of the readers of the three forms of a data set, and of every way they can be wrong."""

from __future__ import annotations

import io
import pickle
import tarfile

import numpy as np
import pytest
from PIL import Image

from bnas_deploy.errors import DataError
from bnas_deploy.training.data.cifar_batches import CLASSES
from bnas_deploy.training.data.images import load_data
from bnas_deploy.training.data.stream import open_folder

LABELS = ("cat", "ant", "bee")


def pixels(seed, side=8):
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def image_folder(root, *, splits=("train", "test"), side=8, each=2):
    for s, split in enumerate(splits):
        for c, label in enumerate(LABELS):
            folder = root / split / label
            folder.mkdir(parents=True)
            for i in range(each):
                Image.fromarray(pixels(100 * s + 10 * c + i, side)).save(folder / f"{i}.png")
    return root


def pack(folder, path, mode):
    with tarfile.open(path, mode) as archive:
        archive.add(folder, arcname=folder.name)
    return path


def batch_bytes(seed, count=3, labels=None):
    rng = np.random.default_rng(seed)
    data = rng.integers(0, 256, (count, 3072), dtype=np.uint8)
    names = list(range(count)) if labels is None else labels
    return pickle.dumps({b"data": data, b"labels": names}, protocol=2)


def cifar_folder(root, names=(*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")):
    folder = root / "cifar-10-batches-py"
    folder.mkdir()
    for seed, name in enumerate(names):
        (folder / name).write_bytes(batch_bytes(seed))
    (folder / "batches.meta").write_bytes(b"not read")
    return folder


def test_an_image_folder(tmp_path):
    data = load_data(image_folder(tmp_path / "pets"))
    assert data.name == "pets"
    assert data.classes == ("ant", "bee", "cat")
    assert data.train.images.shape == (6, 8, 8, 3)
    assert data.train.images.dtype == np.uint8
    assert data.train.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert data.train.labels.dtype == np.int64
    assert np.array_equal(data.train.images[0], pixels(10))
    assert np.array_equal(data.test.images[5], pixels(101))


@pytest.mark.parametrize(
    ("ending", "mode"),
    [
        (".tar", "w"),
        (".tar.gz", "w:gz"),
        (".tar.bz2", "w:bz2"),
        (".tar.xz", "w:xz"),
    ],
)
def test_a_tar_of_one_is_the_same(tmp_path, ending, mode):
    folder = image_folder(tmp_path / "pets")
    want, got = load_data(folder), load_data(pack(folder, tmp_path / f"pets{ending}", mode))
    assert got.name == want.name
    assert got.classes == want.classes
    for split in ("train", "test"):
        assert np.array_equal(getattr(got, split).images, getattr(want, split).images)
        assert np.array_equal(getattr(got, split).labels, getattr(want, split).labels)


@pytest.mark.parametrize("val", ["val", "valid", "Validation"])
def test_validation_is_no_test(tmp_path, val):
    folder = image_folder(tmp_path / "a", splits=("train", val))
    for data in (load_data(folder), open_folder(folder, size=8, resize=8)):
        assert [len(part) for part in (data.train, data.validation, data.test)] == [6, 6, 0]


def test_three_splits(tmp_path):
    data = load_data(image_folder(tmp_path / "a", splits=("train", "val", "test")))
    assert np.array_equal(data.validation.images[0], pixels(110))
    assert np.array_equal(data.test.images[0], pixels(210))


def test_classes_without_splits_are_all_to_learn_from(tmp_path):
    folder = image_folder(tmp_path / "a") / "train"
    for data in (load_data(folder), open_folder(folder, size=8, resize=8)):
        assert data.classes == ("ant", "bee", "cat")
        assert [len(part) for part in (data.train, data.validation, data.test)] == [6, 0, 0]


def test_pictures_in_folders_of_a_class_are_read(tmp_path):
    folder = image_folder(tmp_path / "a")
    (folder / "train" / "cat" / "more" / "old").mkdir(parents=True)
    Image.fromarray(pixels(1)).save(folder / "train" / "cat" / "more" / "old" / "2.gif")
    for data in (load_data(folder), open_folder(folder, size=8, resize=8)):
        assert data.train.labels.tolist() == [0, 0, 1, 1, 2, 2, 2]
        assert data.classes == ("ant", "bee", "cat")


def test_linked_folders_are_read_and_rings_are_not(tmp_path):
    folder = image_folder(tmp_path / "a")
    (folder / "train" / "ant").rename(tmp_path / "ants")
    (folder / "train" / "ant").symlink_to(tmp_path / "ants")
    (tmp_path / "ants" / "round").symlink_to(folder / "train")
    assert load_data(folder).train.labels.tolist() == [0, 0, 1, 1, 2, 2]


def test_what_is_skipped_is_told(tmp_path):
    folder = image_folder(tmp_path / "a")
    (folder / "train" / "cat" / "notes.txt").write_text("hello")
    (folder / "train" / "cover.png").write_bytes((folder / "train/cat/0.png").read_bytes())
    for data in (load_data(folder), open_folder(folder, size=8, resize=8)):
        assert data.skipped == {
            "no picture by its ending": ["train/cat/notes.txt"],
            "in no folder of a class": ["train/cover.png"],
        }


def test_a_class_of_one_split_is_named(tmp_path):
    folder = image_folder(tmp_path / "a")
    (folder / "test" / "dog").mkdir()
    Image.fromarray(pixels(1)).save(folder / "test" / "dog" / "0.png")
    for read in (load_data, lambda path: open_folder(path, size=8, resize=8)):
        with pytest.raises(DataError, match="/a: no pictures in train of dog; every split"):
            read(folder)


def test_hidden_and_other_files_are_passed_over(tmp_path):
    folder = image_folder(tmp_path / "a")
    (folder / "train" / "cat" / "._0.png").write_bytes(b"resource fork")
    (folder / "train" / "cat" / "notes.txt").write_text("hello")
    (folder / "train" / ".ipynb_checkpoints").mkdir()
    (folder / "train" / ".ipynb_checkpoints" / "0.png").write_bytes(b"not even a class")
    data = load_data(folder)
    assert len(data.train) == 6
    assert data.classes == ("ant", "bee", "cat")


@pytest.mark.parametrize("packed", [False, True])
def test_cifar_as_published(tmp_path, packed):
    source = cifar_folder(tmp_path)
    if packed:
        source = pack(source, tmp_path / "cifar-10-python.tar.gz", "w:gz")
    data = load_data(source)
    assert data.classes == CLASSES == tuple(sorted(CLASSES))
    assert data.train.images.shape == (15, 32, 32, 3)
    assert data.test.labels.tolist() == [0, 1, 2]
    first = np.random.default_rng(0).integers(0, 256, (3, 3072), dtype=np.uint8)[0]
    assert np.array_equal(data.train.images[0, :, :, 2], first[2048:].reshape(32, 32))


def test_pictures_of_many_sizes_want_a_size(tmp_path):
    folder = image_folder(tmp_path / "a")
    Image.fromarray(pixels(0, 9)).save(folder / "train" / "bee" / "9.png")
    with pytest.raises(DataError, match=r"9.png is 9x9 pixels, others are 8x8; give an image size"):
        load_data(folder)
    assert load_data(folder, image_size=6).train.images.shape == (7, 6, 6, 3)


def test_resizing_keeps_the_shape_and_crops_the_centre(tmp_path):
    folder = image_folder(tmp_path / "a")
    wide = np.zeros((4, 12, 3), np.uint8)
    wide[:, 4:8] = 255
    Image.fromarray(wide).save(folder / "train" / "ant" / "0.png")
    assert load_data(folder, image_size=4).train.images[0].min() == 255


def test_take_spreads_over_the_set(tmp_path):
    train = load_data(image_folder(tmp_path / "a")).train
    assert train.take(3).labels.tolist() == [0, 1, 2]
    assert len(train.take(100)) == 6


def test_a_missing_path_says_what_is_expected(tmp_path):
    with pytest.raises(DataError, match=r"no such file or folder; expected a folder <class>"):
        load_data(tmp_path / "nowhere")


def test_a_file_that_is_no_tar(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"\xffno tar at all" * 100)
    with pytest.raises(DataError, match=r"cannot be read as a tar .* expected a folder"):
        load_data(tmp_path / "a.tar")


def test_a_picture_in_place_of_a_folder(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "one.png")
    with pytest.raises(DataError, match=r"one.png: this is a picture; expected a folder"):
        load_data(tmp_path / "one.png")


@pytest.mark.parametrize("mode", ["w:gz", "w:xz", "w:bz2"])
def test_a_truncated_tar(tmp_path, mode):
    path = pack(image_folder(tmp_path / "a"), tmp_path / "a.tar", mode)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match="cannot be read as a tar"):
        load_data(path)


def test_an_empty_folder(tmp_path):
    with pytest.raises(DataError, match="no images found"):
        load_data(tmp_path)


@pytest.mark.parametrize(
    ("splits", "told"),
    [
        (("test",), "images in test, but none in train to learn from; expected a folder"),
        (("val", "test"), "images in val and test, but none in train"),
    ],
)
def test_a_missing_split(tmp_path, splits, told):
    folder = image_folder(tmp_path / "a", splits=splits)
    with pytest.raises(DataError, match=told):
        load_data(folder)
    with pytest.raises(DataError, match=told):
        open_folder(folder, size=8, resize=8)


def test_a_damaged_image_is_named(tmp_path):
    folder = image_folder(tmp_path / "a")
    (folder / "train" / "cat" / "0.png").write_bytes(b"\x89PNG broken")
    with pytest.raises(
        DataError, match=r"1 of 12 pictures cannot be read, .*/0.png: not a"
    ) as info:
        load_data(folder)
    assert "at most 1% may be left out" in str(info.value)
    assert str(info.value).endswith(
        "; replace them, take them out of the data set, or allow a larger share (--broken 0.1)"
    )


def test_broken_pictures_are_left_out_up_to_a_share(tmp_path):
    folder = image_folder(tmp_path / "a")
    (folder / "train" / "cat" / "0.png").write_bytes(b"\x89PNG broken")
    (folder / "broken-and-of-no-class.png").write_bytes(b"\x89PNG broken")
    data = load_data(folder, broken=1 / 12)
    assert data.train.labels.tolist() == [0, 0, 1, 1, 2]
    assert data.skipped["cannot be read"] == ["train/cat/0.png"]
    (folder / "test" / "ant" / "1.png").write_bytes(b"")
    with pytest.raises(DataError, match="2 of 12 pictures cannot be read"):
        load_data(folder, broken=1 / 12)


def test_a_class_of_broken_pictures_is_missed(tmp_path):
    folder = image_folder(tmp_path / "a")
    for i in range(2):
        (folder / "train" / "cat" / f"{i}.png").write_bytes(b"")
    with pytest.raises(DataError, match="no pictures in train of cat"):
        load_data(folder, broken=0.5)


def test_a_missing_batch_is_named(tmp_path):
    folder = cifar_folder(tmp_path, names=("data_batch_1", "test_batch"))
    with pytest.raises(DataError, match="CIFAR-10 without data_batch_2, "):
        load_data(folder)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no pickle",
        pickle.dumps({b"data": np.zeros((1, 3072), np.uint8)}),
        pickle.dumps({b"data": np.zeros((1, 5), np.uint8), b"labels": [0]}),
        batch_bytes(0, count=2, labels=[0]),
        pickle.dumps([1, 2]),
    ],
)
def test_a_batch_that_is_none(tmp_path, content):
    folder = cifar_folder(tmp_path)
    (folder / "data_batch_3").write_bytes(content)
    with pytest.raises(DataError, match="data_batch_3 is not a batch of CIFAR-10"):
        load_data(folder)


def test_labels_out_of_range(tmp_path):
    folder = cifar_folder(tmp_path)
    (folder / "test_batch").write_bytes(batch_bytes(0, count=2, labels=[0, 10]))
    with pytest.raises(DataError, match="labels outside 0 to 9"):
        load_data(folder)


class _Hostile:
    def __reduce__(self):
        return io.StringIO, ("side effect",)


def test_a_hostile_batch_runs_nothing(tmp_path):
    folder = cifar_folder(tmp_path)
    (folder / "data_batch_1").write_bytes(pickle.dumps(_Hostile()))
    with pytest.raises(DataError, match="has no place in a batch"):
        load_data(folder)
