"""Names of pictures that look like something else, and files that are passed over."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.run_command import run


@pytest.mark.parametrize("name", ["-dash.png", "--help", "-"])
def test_behind_two_dashes_everything_is_a_name(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if name == "-":
        assert run("red.png", "--", "blue.png") == 0
    else:
        shutil.copy(folder / "blue.png", folder / name)
        assert run("red.png", "--", name) == 0
    out = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[2] for line in out] == ["red (100.0%)", "blue (100.0%)"]


def test_files_that_are_not_read_are_counted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "more").mkdir()
    for name in ("a.heic", "more/b.HEIC", "more/c.psd", "notes.txt"):
        (folder / name).touch()
    assert run(".") == 0
    err = capsys.readouterr().err
    assert err.startswith("note: .: 2 .heic and 1 .psd passed over, which are not read here")
    assert len(err.splitlines()) == 1


def test_a_name_that_is_too_long_leaves_the_others(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("red.png", "x" * 5000) == 1
    out, err = capsys.readouterr()
    assert out == "red.png: red (100.0%)\n"
    assert err.endswith("… (5,000 characters): no such file\n")
