"""Tests of telling what kind of file something is."""

from __future__ import annotations

import os
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save
from support.small_models import mean_colour_model

from bnas_deploy.file_kind import what_bytes_are, what_is
from bnas_deploy.format import to_bytes


def zipped() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.txt", "hello")
    return out.getvalue()


def picture(kind: str) -> bytes:
    out = BytesIO()
    Image.new("RGB", (2, 2)).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(
    ("key", "content"),
    [
        ("empty", b""),
        ("zip", zipped()),
        ("safetensors", save({"x": np.zeros(3, np.float32)})),
        ("lfs", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"),
        ("html", b"\n<!doctype HTML>\n<html>"),
        ("html", b"\xef\xbb\xbf<!-- saved from url=(0001) -->\n<html>"),
        ("html", b"<?xml version='1.0'?><Error>"),
        ("text", b"404: Not Found"),
        ("text", b'{"message": "Not Found"}'),
        ("archive", b"\x1f\x8b\x08\x00"),
        ("pickle", b"\x80\x04\x95"),
        *(("picture", picture(kind)) for kind in ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP")),
    ],
)
def test_kinds(key: str, content: bytes) -> None:
    kind = what_bytes_are(content)
    assert kind is not None
    assert kind.key == key


def test_a_packed_model_also_a_damaged_one() -> None:
    whole = to_bytes(mean_colour_model())
    for content in (whole, whole[: len(whole) // 2]):
        kind = what_bytes_are(content)
        assert kind is not None
        assert str(kind) == "a .bnn file (bnas-run runs it, bnas-inspect shows it)"


@pytest.mark.parametrize("old", [False, True])
def test_what_torch_saves(tmp_path: Path, old: bool) -> None:
    torch = pytest.importorskip("torch")
    file = tmp_path / "model.pt"
    torch.save({"x": torch.zeros(3)}, file, _use_new_zipfile_serialization=not old)
    kind = what_is(file)
    assert kind is not None
    assert str(kind) == "a file of PyTorch (bnas-export packs a model.pt)"


@pytest.mark.parametrize("producer", ["", "pytorch"])
def test_an_onnx_model(tmp_path: Path, producer: str) -> None:
    onnx = pytest.importorskip("onnx")
    graph = onnx.helper.make_graph([], "g", [], [])
    file = tmp_path / "called.anything"
    onnx.save(onnx.helper.make_model(graph, producer_name=producer), file)
    kind = what_is(file)
    assert kind is not None
    assert str(kind) == "an ONNX model (bnas-import packs it)"


def test_a_folder_and_the_models_in_it(tmp_path: Path) -> None:
    assert str(what_is(tmp_path)) == "a folder"
    for name in ("model.pt", "checkpoint.pt", "model.bnn"):
        (tmp_path / name).touch()
    assert str(what_is(tmp_path)) == "a folder (it holds model.bnn, model.pt)"


def test_a_text_tells_its_first_line() -> None:
    kind = what_bytes_are(b"\nEntry not found\nin this repository\n")
    assert str(kind) == "a text that begins 'Entry not found'"


@pytest.mark.parametrize("content", [b"x", b"\x08", b"\x08\x07", b"hello\x01", bytes(1000)])
def test_nothing_known(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert what_is(tmp_path / "file") is None


def test_what_cannot_be_read_is_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert what_is(tmp_path / "pipe") is None
    assert what_is(tmp_path / "nowhere") is None
    assert what_is("a\0b") is None
