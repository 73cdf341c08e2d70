"""Labels and normalisation of a .tflite file's metadata."""

from __future__ import annotations

import zipfile
from io import BytesIO

import numpy as np
import pytest
from support.tflite_models import TfliteNet, metadata_of

from bnas_deploy.converters.from_tflite.source import read
from bnas_deploy.converters.packing.model_file import ModelFile
from bnas_deploy.errors import ConversionError
from bnas_deploy.format import Preprocessing

CLASSES = 3


def written(folder, *, files=None, channels=3, metadata=b""):
    net = TfliteNet(6, 4, channels)
    data = net.data(net.head(0, CLASSES), metadata=metadata)
    stream = BytesIO(data)
    if files:
        with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                archive.writestr(name, text)
    path = folder / "model.tflite"
    path.write_bytes(stream.getvalue())
    return ModelFile(path)


def source(file, **options):
    return read(file, allow_float=True, **options)


def test_labels_are_the_lines_of_the_stated_file(tmp_path):
    files = {"labels.txt": "a\nb\nc", "klassen.txt": "eins\r\n zwei\ndrei\n\n", "readme.md": "x"}
    stated = written(tmp_path, files=files, metadata=metadata_of(label_file="klassen.txt"))
    assert source(stated).labels == ("eins", "zwei", "drei")
    assert source(written(tmp_path, files=files)).labels == ("a", "b", "c")
    assert source(stated, labels=("x", "y", "z")).labels == ("x", "y", "z")


def test_no_labels(tmp_path):
    assert source(written(tmp_path)).labels is None
    assert source(written(tmp_path, files={"notes.txt": "a\nb\nc"})).labels is None


def test_labels_for_other_classes_are_left_out_and_that_is_said(tmp_path):
    found = source(written(tmp_path, files={"labelmap.txt": "a\nb\n"}))
    assert found.labels is None
    assert "labels of labelmap.txt: left out, as it has 2 lines for 3 classes" in found.notes[-1]


def test_normalisation(tmp_path):
    file = written(tmp_path, metadata=metadata_of(mean=[127.5], std=[51]))
    assert source(file).preprocessing == Preprocessing(6, (6, 4), (0.5,) * 3, (0.2,) * 3)
    each = written(tmp_path, metadata=metadata_of(mean=[0, 51, 102], std=[255, 255, 51]))
    assert source(each).preprocessing == Preprocessing(6, (6, 4), (0, 0.2, 0.4), (1, 1, 0.2))
    given = source(each, mean=(0.5,) * 3, resize=9).preprocessing
    assert given == Preprocessing(9, (6, 4), (0.5,) * 3, (1, 1, 0.2))
    assert source(written(tmp_path)).preprocessing is None


@pytest.mark.parametrize(("mean", "std"), [([1, 2], [1]), ([1], [0]), ([], [1])])
def test_a_normalisation_that_does_not_fit(mean, std, tmp_path):
    file = written(tmp_path, metadata=metadata_of(mean=mean, std=std))
    with pytest.raises(ConversionError, match="expected one number, or 3"):
        source(file)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"labels.txt": b"\xff\xfe"}, "metadata cannot be read: 'utf-8' codec"),
        ({"labels.txt": "x\n" * 2**23 + "y"}, "labels.txt has more than 16,777,216 bytes"),
        ({f"{i}.txt": "" for i in range(1001)}, "an archive of more than 1,000 files"),
    ],
)
def test_archives_that_are_not_read(files, message, tmp_path):
    with pytest.raises(ConversionError, match=message):
        source(written(tmp_path, files=files))


@pytest.mark.parametrize("seed", range(40))
def test_damaged_metadata_are_one_line(seed, tmp_path):
    rng = np.random.default_rng(seed)
    stored = metadata_of(mean=[1], std=[2], label_file="labels.txt")
    whole = written(tmp_path, files={"labels.txt": "a\nb\nc"}, metadata=stored).data
    damaged = bytearray(whole)
    start = whole.index(stored) if seed % 2 else whole.index(b"PK\x03\x04")
    for place in rng.integers(start, start + 200, 6):
        damaged[place % len(damaged)] = rng.integers(256)
    path = tmp_path / "damaged.tflite"
    path.write_bytes(bytes(damaged))
    message = ""
    try:
        source(ModelFile(path))
    except ConversionError as error:
        message = str(error)
    assert "\n" not in message
