"""Tests of lists of pictures: a path on each line, of whatever kind."""

from __future__ import annotations

from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
from support.stored_pictures import coloured, png, tar_of

from bnas_deploy.errors import UsageError
from bnas_deploy.runtime.sources import find_pictures


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.png").write_bytes(png("red"))
    (tmp_path / "odd name").write_bytes(png("red"))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "d.png").write_bytes(png("red"))
    tar_of(tmp_path / "t.tar", coloured(2))
    return tmp_path


def names(text: bytes, *arguments: str) -> list[str]:
    Path("list.txt").write_bytes(text)
    return [item.name for item in find_pictures(arguments, listing="list.txt")[0]]


def test_lines_are_sources_behind_the_arguments(place: Path) -> None:
    found = names(b"odd name\r\n\nt.tar\ndeep\nnix.png\nnix", "a.png")
    inside = ["t.tar/000.png", "t.tar/001.png"]
    assert found == ["a.png", "odd name", *inside, "deep/d.png", "nix.png", "nix"]


def test_names_that_are_no_unicode(place: Path) -> None:
    (found,) = names(b"\xff.png\n")
    assert found == "\udcff.png"


def test_standard_input(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"a.png\nb.png\n")))
    pictures, _ = find_pictures([], listing="-")
    assert pictures.expected() is None
    assert [item.name for item in pictures] == ["a.png", "b.png"]
    with pytest.raises(UsageError, match="give one of them"):
        find_pictures(["-"], listing="-")


def test_how_many_are_expected(place: Path) -> None:
    Path("list.txt").write_bytes(b"a.png\n" * 100)
    pictures, _ = find_pictures([], listing="list.txt")
    for place_, _ in enumerate(pictures, 1):
        assert pictures.expected() == (100 if place_ >= 20 else None)


def test_a_list_that_is_not_there(place: Path) -> None:
    with pytest.raises(UsageError, match=r"nix\.txt: the list of pictures cannot be read \(No su"):
        find_pictures([], listing="nix.txt")
