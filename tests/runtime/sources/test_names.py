"""What lies behind names: patterns as Python's glob has them, and names that are no file's."""

from __future__ import annotations

import glob
import os
import sys
from pathlib import Path

import pytest

from bnas_deploy.runtime.sources.names import found_names

FILES = ("a/b/c.jpg", "a/x.jpg", ".h/y.jpg", "a/.hid/z.jpg", "q.jpg", "a/b/d/e.png", "a/.z.jpg",
         "b/b/c.jpg")  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "pattern",
    ["**/*.jpg", "a/**/*.jpg", "**", "a/**", "*/b/**/c.jpg", "**/**/*.jpg", "**/b/**/*", "*.jpg",
     "[ab]/**/*.jpg", "**/.hid/*", "./**/c.jpg", "a/**/b/*.jpg", "a/**/?.jpg", "**/[!a-c].*"],
)  # fmt: skip
@pytest.mark.parametrize("absolute", [False, True])
def test_patterns_are_those_of_glob(pattern: str, absolute: bool, folder: Path) -> None:
    pattern = f"{folder}/{pattern}" if absolute else pattern
    names, problems = found_names([pattern])
    found = glob.glob(pattern, recursive=True)  # noqa: PTH207 - it is what people know
    want = {name for name in found if Path(name).is_file()}
    assert want
    assert (sorted(names), problems) == (sorted(want), [])


def test_links_in_circles_are_walked_once(folder: Path) -> None:
    (folder / "a/up").symlink_to("..")
    (folder / "b/over").symlink_to("../a")
    (folder / "a/over").symlink_to("../b")
    names, _ = found_names(["**/" * 40 + "*.jpg"])
    assert names == found_names(["**/*.jpg"])[0]
    assert len(names) == len(set(names))
    assert {"a/x.jpg", "b/over/x.jpg", "q.jpg"} <= set(names)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "'' is no name of a file"),
        ("nix", "nix: no such file"),
        ("*.nix", "*.nix: no file matches this pattern"),
        ("**/*.nix", "**/*.nix: no file matches this pattern"),
        ("a\0b", "a\0b: no such file"),
        ("x" * 5000, "x" * 200 + "… (5,000 characters): no such file"),
        pytest.param(
            "/dev/zero",
            "/dev/zero: expected a file or folder, this is a device",
            marks=pytest.mark.skipif(sys.platform == "win32", reason="has no such device"),
        ),
    ],
)
def test_names_of_nothing_leave_the_others(name: str, says: str) -> None:
    names, (problem,) = found_names(["q.jpg", name, "a/x.jpg"])
    assert names == ["q.jpg", "a/x.jpg"]
    assert problem.startswith(says)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_pipes(folder: Path) -> None:
    os.mkfifo(folder / "p.jpg")
    assert found_names(["*.jpg"]) == (["q.jpg"], [])
    names, (problem,) = found_names(["p.jpg"])
    assert names == []
    assert "this is a named pipe; use - for standard input" in problem
    reader, writer = os.pipe()
    assert found_names([f"/dev/fd/{reader}"]) == ([f"/dev/fd/{reader}"], [])
    os.close(reader)
    os.close(writer)
