"""Tests of finding the pictures that arguments name."""

from __future__ import annotations

from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from bnas_deploy.errors import UsageError
from bnas_deploy.runtime.sources import find_pictures


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (
        "b.JPG",
        "a.png",
        "notes.txt",
        "deep/er/c.webp",
        "deep/d.tiff",
        "raw",
        "._a.png",
        ".thumbs/a.png",
    ):
        file = tmp_path / "t" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
    (tmp_path / "t" / "folder.png").mkdir()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*arguments: str) -> list[str]:
    return [item.name for item in find_pictures(arguments)[0]]


def test_a_folder_with_all_below(tree: Path) -> None:
    assert names("t") == ["t/a.png", "t/b.JPG", "t/deep/d.tiff", "t/deep/er/c.webp"]


def test_a_named_file_may_be_called_anything(tree: Path) -> None:
    assert names("t/raw", "t/a.png", "t/raw") == ["t/raw", "t/a.png", "t/raw"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("t/*.png", ["t/a.png"]),
        ("t/?.*", ["t/a.png", "t/b.JPG"]),
        ("t/**/*.tiff", ["t/deep/d.tiff"]),
        ("t/[ab].*", ["t/a.png", "t/b.JPG"]),
    ],
)
def test_patterns(tree: Path, pattern: str, expected: list[str]) -> None:
    assert names(pattern) == expected
    assert names(str(tree / pattern)) == [str(tree / name) for name in expected]


def test_a_file_whose_name_looks_like_a_pattern(tree: Path) -> None:
    (tree / "x[1].png").write_bytes(b"")
    assert names("x[1].png") == ["x[1].png"]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"picture")))
    (item,), problems = find_pictures(["-"])
    assert (item.name, item.picture, problems) == ("<stdin>", b"picture", [])


def test_what_names_nothing_is_reported_beside_what_does(tree: Path) -> None:
    items, problems = find_pictures(["nix.png", "t/a.png", "*.bmp", "empty"])
    assert [item.name for item in items] == ["t/a.png"]
    assert problems == [
        "nix.png: no such file",
        "*.bmp: no file matches this pattern",
        "empty: no pictures in this folder",
    ]


def test_no_picture_at_all(tree: Path) -> None:
    with pytest.raises(UsageError, match=r"nix\.png: no such file; empty: no pictures"):
        find_pictures(["nix.png", "empty"])
    with pytest.raises(UsageError, match="no pictures given"):
        find_pictures([])
