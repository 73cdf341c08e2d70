"""Tests of the report's folder: complete, readable offline, and safe with any name."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bnas_deploy.errors import UsageError
from bnas_deploy.evaluation.outcomes import Outcomes
from bnas_deploy.evaluation.page.folder import write_report


class Tags(HTMLParser):
    """Every tag with its attributes, and all text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def outcomes(labels: tuple[str, ...] = ("cat", "dog"), channels: int = 3) -> Outcomes:
    found = Outcomes(labels)
    rng = np.random.default_rng(1)
    sure = np.zeros(len(labels))
    sure[0] = 1.0
    for place in range(6):
        pixels = rng.integers(0, 256, (32, 24, channels), dtype=np.uint8)
        found.add(f"p/{place}.png", pixels, sure, place % 2)
    return found


def test_every_file_is_written(tmp_path: Path) -> None:
    measures = write_report(tmp_path / "new", "Mini on pets", {"data": "pets"}, outcomes())
    folder = tmp_path / "new"
    record = json.loads((folder / "report.json").read_text())
    assert record["top_1"] == measures.accuracy == 0.5
    assert record["data"] == "pets"
    matrix = list(csv.reader((folder / "confusion.csv").read_text().splitlines()))
    assert matrix == [["true \\ named", "cat", "dog"], ["cat", "3", "0"], ["dog", "3", "0"]]
    mistakes = list(csv.DictReader((folder / "mistakes.csv").read_text().splitlines()))
    assert [row["picture"] for row in mistakes] == ["p/1.png", "p/3.png", "p/5.png"]
    with Image.open(folder / "mistakes.png") as sheet:
        assert sheet.size == (3 * 100 + 4, 104)
    for name in ("confusion.svg", "calibration.svg"):
        assert ET.parse(folder / name).getroot().tag.endswith("svg")


def test_the_page_needs_nothing_else(tmp_path: Path) -> None:
    write_report(tmp_path, "Mini", {}, outcomes())
    page = Tags((tmp_path / "index.html").read_text())
    sources = [
        value for _, attrs in page.tags for key, value in attrs.items() if key in ("src", "href")
    ]
    assert len(sources) == 3
    assert all(str(source).startswith("data:image/png;base64,") for source in sources)
    assert "50.00%" in page.text
    assert not re.search(r"url\(|@import", (tmp_path / "index.html").read_text())


def test_names_are_text_and_nothing_else(tmp_path: Path) -> None:
    hostile = '<script>alert("x")</script>\x1b'
    found = Outcomes((hostile, "b"))
    found.add(hostile, np.zeros((8, 8, 3), np.uint8), np.array([0.9, 0.1]), 1)
    found.unreadable[hostile] = hostile
    write_report(tmp_path, hostile, {hostile: hostile}, found)
    page = Tags((tmp_path / "index.html").read_text())
    assert not [tag for tag, _ in page.tags if tag == "script"]
    assert 'alert("x")' in page.text
    assert "\x1b" not in (tmp_path / "index.html").read_text()
    ET.parse(tmp_path / "confusion.svg")


def test_grey_pictures(tmp_path: Path) -> None:
    write_report(tmp_path, "Mini", {}, outcomes(channels=1))
    assert np.asarray(Image.open(io.BytesIO((tmp_path / "mistakes.png").read_bytes()))).ndim == 3


def test_many_classes_have_no_matrix_as_picture(tmp_path: Path) -> None:
    write_report(tmp_path, "Mini", {}, outcomes())
    assert (tmp_path / "confusion.svg").exists()
    labels = tuple(f"class {i}" for i in range(60))
    write_report(tmp_path, "Mini", {}, outcomes(labels))
    assert not (tmp_path / "confusion.svg").exists()
    assert len((tmp_path / "confusion.csv").read_text().splitlines()) == 61


def test_no_mistakes(tmp_path: Path) -> None:
    found = Outcomes(("a", "b"))
    found.add("x", np.zeros((8, 8, 3), np.uint8), np.array([0.9, 0.1]), 0)
    write_report(tmp_path, "Mini", {}, found)
    assert "There are none." in (tmp_path / "index.html").read_text()
    assert not (tmp_path / "mistakes.png").exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"file: the report cannot be written"):
        write_report(tmp_path / "file", "Mini", {}, outcomes())
