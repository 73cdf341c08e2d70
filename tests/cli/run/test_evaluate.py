"""Tests of `bnas-run --evaluate`: labelled folders, and what can be wrong with them."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest
from PIL import Image
from support.coloured_pictures import COLOURS
from support.run_command import one_error_line, run
from support.small_models import picture_model, written

LINE = "top-1 accuracy: 75.00% (3 of 4; 95% interval 30.1% to 95.4%)\n"


@pytest.fixture
def data(folder: Path) -> Path:
    """A folder data/test/<class> with four pictures, one of them in the wrong class."""
    for name, colour in [*COLOURS.items(), ("red", "blue")]:
        file = folder / "data" / "test" / name / f"{colour}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), colour).save(file)
    return folder / "data"


@pytest.mark.parametrize("packed", [False, True])
def test_evaluate(data: Path, capsys: pytest.CaptureFixture[str], packed: bool) -> None:
    source = data
    if packed:
        source = data.with_suffix(".tar.xz")
        with tarfile.open(source, "w:xz") as tar:
            tar.add(data / "test", arcname="test")
    assert run("--evaluate", str(source)) == 0
    assert capsys.readouterr().out == LINE


def test_evaluate_tells_what_does_not_count(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "test" / "red" / "more").mkdir()
    (data / "test" / "red" / "red.png").rename(data / "test" / "red" / "more" / "red.png")
    (data / "test" / "red" / "notes.txt").write_text("hello")
    (data / "train" / "red").mkdir(parents=True)
    (data / "cover.png").write_bytes(b"not looked at")
    assert run("--evaluate", "data") == 0
    out, err = capsys.readouterr()
    assert out == LINE
    assert err.splitlines() == [
        "left out, no picture by its ending: test/red/notes.txt",
        "left out, beside the folders of the splits: cover.png",
    ]


def test_evaluate_as_json_with_an_unreadable_picture(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "test" / "red" / "broken.png").write_bytes(b"no")
    assert run("--evaluate", "data", "--json", "--batch", "2") == 1
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert (report["count"], report["top_1"], report["top_5"]) == (4, 0.75, None)
    assert report["data"] == "data"
    assert report["backend"] == "reference"
    assert "broken.png" in report["errors"][0]["image"]
    assert "broken.png" in err


def test_evaluate_with_top_5(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(folder, picture_model())
    (folder / "cat").mkdir()
    (folder / "red.png").rename(folder / "cat" / "0.png")
    for name in ("green", "blue"):
        (folder / f"{name}.png").unlink()
    assert run("--evaluate", ".") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("top-1 accuracy: ")
    assert second.startswith("top-5 accuracy: ")


def test_evaluate_with_nothing_readable(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file in data.rglob("*.png"):
        file.write_bytes(b"no")
    assert run("--evaluate", "data") == 2
    assert "none of its 4 pictures can be read" in capsys.readouterr().err


def test_evaluate_with_foreign_classes(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "test" / "red").rename(data / "test" / "crimson")
    assert run("--evaluate", "data") == 2
    assert "crimson" in one_error_line(capsys.readouterr().err)


def test_evaluate_with_a_report(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "test" / "red" / "broken.png").write_bytes(b"no")
    assert run("--evaluate", "data", "--report", "pages/new") == 1
    assert capsys.readouterr().out == LINE + "report: pages/new/index.html\n"
    record = json.loads(Path("pages/new/report.json").read_text())
    assert (record["count"], record["top_1"]) == (4, 0.75)
    assert list(record["unreadable"]) == ["data/test/red/broken.png"]
    mistakes = Path("pages/new/mistakes.csv").read_text().splitlines()
    assert mistakes[1].startswith("data/test/red/blue.png,red,blue,")


def test_a_report_is_about_an_evaluation(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("red.png", "--report", "pages") == 2
    assert "--evaluate" in one_error_line(capsys.readouterr().err)


def test_a_single_label_has_nothing_to_tell_apart(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(folder, picture_model(("red",)))
    (folder / "data" / "red").mkdir(parents=True)
    Image.new("RGB", (8, 8), "red").save(folder / "data" / "red" / "a.png")
    assert run("--evaluate", "data") == 2
    assert "pack it again with two names (--labels)" in one_error_line(capsys.readouterr().err)
