"""Tests of pictures in tars: names, order, what is passed over, what damage becomes."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from support.small_models import mean_colour_model
from support.stored_pictures import coloured, png, tar_of

from bnas_deploy.errors import ImageError
from bnas_deploy.runtime.model import Model
from bnas_deploy.runtime.sources import find_pictures
from bnas_deploy.runtime.sources.shards import Shards
from bnas_deploy.runtime.sources.source import SAMPLE
from bnas_deploy.runtime.sources.tars import EXPECTED
from bnas_deploy.runtime.stream import answers


@pytest.mark.parametrize("ending", ["tar", "tar.gz", "tar.bz2", "tar.xz", "TAR"])
def test_members_in_their_order(tmp_path: Path, ending: str) -> None:
    files = [("b/2.png", png("red")), ("./a/1.png", png("blue"))]
    path = tar_of(tmp_path / f"x.{ending}", files)
    pictures, problems = find_pictures([str(path)])
    assert problems == []
    found = [(item.name, item.taken()) for item in pictures]
    assert found == [(f"{path}/b/2.png", files[0][1]), (f"{path}/a/1.png", files[1][1])]
    assert [name for name, _ in found] == [item.name for item in pictures]  # a second time


def test_samples_of_a_webdataset(tmp_path: Path) -> None:
    files = [
        ("s/0001.cls", b"7"),
        ("s/0001.JPG", b"1"),
        ("s/0001.json", b"{}"),
        ("s/0002.left.png", b"2"),
        ("s/0002.right.png", b"3"),
        ("s/._0002.png", b"no"),
    ]
    path = tar_of(tmp_path / "x.tar", files)
    found = [(item.name.removeprefix(f"{path}/s/"), item.taken()) for item in Shards([path])]
    assert found == [("0001.JPG", b"1"), ("0002.left.png", b"2"), ("0002.right.png", b"3")]


def test_shards_by_braces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for shard in (8, 9, 11):
        tar_of(tmp_path / f"x-{shard:03}.tar", [("a.png", png("red"))])
    pictures, problems = find_pictures(["x-{008..011}.tar"])
    assert [item.name for item in pictures] == [f"x-{i:03}.tar/a.png" for i in (8, 9, 11)]
    assert problems == ["x-010.tar: no such file"]


def test_how_many_are_expected(tmp_path: Path) -> None:
    paths = [tar_of(tmp_path / f"{i}.tar", coloured(40)) for i in range(3)]
    shards = Shards(paths)
    assert shards.expected() is None
    for place, _ in enumerate(shards, 1):
        expected = shards.expected()
        assert (expected is None) == (place < SAMPLE)
        assert expected is None or 60 < expected < 200
    assert shards.expected() == 120


def test_a_damaged_tar_is_a_row_behind_its_whole_members(tmp_path: Path) -> None:
    good, bad = (tar_of(tmp_path / f"{x}.tar", coloured(4)) for x in "ab")
    bad.write_bytes(bad.read_bytes()[:1500])
    (tmp_path / "c.tar").write_bytes(b"no tar")
    tar_of(tmp_path / "d.tar", [("notes.txt", b"")])
    pictures, _ = find_pictures([str(bad), *(str(tmp_path / f"{x}.tar") for x in "cd"), str(good)])
    found = list(answers(Model(mean_colour_model(), backend="reference"), pictures))
    told = [str(answer.error) for answer in found if answer.error]
    assert len(found) == 1 + 3 + 4
    assert told == [
        f"{bad}: cannot be read as a tar (truncated header); {EXPECTED}",
        f"{tmp_path}/c.tar: this is a text that begins 'no tar'; {EXPECTED}",
        f"{tmp_path}/d.tar: no pictures in this tar",
    ]


def test_a_link_is_a_row(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as tar:
        info = tarfile.TarInfo("a.png")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(info)
    (item,) = Shards([path])
    with pytest.raises(ImageError, match=r"a\.png is a link; only plain files"):
        item.taken()
