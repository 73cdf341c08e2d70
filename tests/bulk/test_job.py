"""Tests of answers into a file: whole or absent, nothing lost or twice after a kill."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from PIL import Image
from support.small_models import mean_colour_model, picture_model, written
from support.stored_pictures import parquet_of, tar_of

from bnas_deploy.bulk.job import Written, answer_into
from bnas_deploy.bulk.partial import partial_path
from bnas_deploy.errors import UsageError
from bnas_deploy.runtime.model import Model, load
from bnas_deploy.runtime.sources import Item, find_pictures

PICTURES = 40
BROKEN = 7


@pytest.fixture
def model(tmp_path: Path) -> Model:
    written(tmp_path, mean_colour_model())
    return load(tmp_path / "model.bnn", backend="reference")


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    found = []
    for place in range(PICTURES):
        path = tmp_path / f"{place:03}.png"
        colour = tuple(int(x) for x in (place * 5, 255 - place * 5, place * 3))
        Image.new("RGB", (8, 8), colour).save(path)
        found.append(Item(path.name, path))
    (tmp_path / f"{BROKEN:03}.png").write_bytes(b"no picture")
    return found


def run(target: Path, model: Model, items: Iterable[Item], **options: object) -> Written:
    return answer_into(target, model, items, batch=4, **options)  # type: ignore[arg-type]


def test_rows_are_the_model_s_answers(tmp_path: Path, model: Model, items: list[Item]) -> None:
    found = run(tmp_path / "a.jsonl", model, items, top_k=2)
    assert (found.pictures, found.errors, found.before) == (PICTURES, 1, 0)
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [row["image"] for row in rows] == [item.name for item in items]
    for row, item in zip(rows, items, strict=True):
        if item.name == f"{BROKEN:03}.png":
            assert item.name in row["error"]
            assert row["label"] is row["top"] is None
            continue
        (prediction,) = model.predict(tmp_path / item.name, top_k=2)
        assert (row["label"], row["error"]) == (prediction.label, None)
        assert row["probability"] == prediction.probability
        assert [guess["index"] for guess in row["top"]] == [g.index for g in prediction.top]
    assert not partial_path(tmp_path / "a.jsonl").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="a path is limited there, not a name")
def test_a_target_whose_name_is_as_long_as_can_be(
    tmp_path: Path, model: Model, items: list[Item]
) -> None:
    for length in (247, 248, 255):
        target = tmp_path / ("x" * (length - 4) + ".csv")
        assert run(target, model, items[:3]).pictures == 3
        assert target.exists()
        assert not list(tmp_path.glob("*.partial"))


def test_csv_has_the_same_in_columns(tmp_path: Path, model: Model, items: list[Item]) -> None:
    run(tmp_path / "a.csv", model, items, top_k=2)
    run(tmp_path / "a.jsonl", model, items, top_k=2)
    table = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    for row, line in zip(table, lines, strict=True):
        assert row["image"] == line["image"]
        assert (row["error"] or None) == line["error"]
        if line["top"]:
            assert row["label_2"] == line["top"][1]["label"]
            assert float(row["probability"]) == line["probability"]


def test_csv_of_nothing_but_errors(tmp_path: Path, model: Model, items: list[Item]) -> None:
    run(tmp_path / "a.csv", model, [items[BROKEN]])
    (row,) = csv.DictReader((tmp_path / "a.csv").read_text().splitlines())
    assert row["label"] == ""
    assert row["error"]


def test_parquet_has_the_same(tmp_path: Path, model: Model, items: list[Item]) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    run(tmp_path / "a.parquet", model, items, top_k=3)
    run(tmp_path / "a.jsonl", model, items, top_k=3)
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert parquet.read_table(tmp_path / "a.parquet").to_pylist() == lines


KILLED = """
import os, signal, sys
from pathlib import Path
from bnas_deploy.bulk import job, partial
from bnas_deploy.runtime.model import load
from bnas_deploy.runtime.sources import find_pictures

folder, after, workers, *sources = Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]
partial.SECONDS, made, plain = 0.0, 0, job.row_of

def row_of(*arguments):
    global made
    made += 1
    if made > after:
        os.kill(os.getpid(), signal.SIGKILL)
    return plain(*arguments)

job.row_of = row_of
items, _ = find_pictures(sources)
model = load(folder / "model.bnn", backend="reference")
job.answer_into(folder / "a.jsonl", model, items, batch=4, workers=int(workers))
"""


SOURCES = {
    "files": ["[0-9]*.png"],
    "tars": ["a.tar", "b.tar.gz"],
    "Parquet": ["a.parquet", "b.parquet"],
}


@pytest.fixture
def stored(tmp_path: Path, items: list[Item], monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the pictures into tars and Parquet files, too."""
    monkeypatch.chdir(tmp_path)
    files = [(item.name, (tmp_path / item.name).read_bytes()) for item in items]
    tar_of(tmp_path / "a.tar", files[:15])
    tar_of(tmp_path / "b.tar.gz", files[15:])


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("kind", ["files", "tars", "Parquet"])
def test_killed_and_gone_on_with(
    tmp_path: Path, model: Model, stored: None, kind: str, workers: int
) -> None:
    if kind == "Parquet":
        pytest.importorskip("pyarrow")
        contents = [path.read_bytes() for path in sorted(tmp_path.glob("[0-9]*.png"))]
        parquet_of(tmp_path / "a.parquet", contents[:30])
        parquet_of(tmp_path / "b.parquet", contents[30:])
    target = tmp_path / "a.jsonl"
    for after in (5, 9):
        words = [str(tmp_path), str(after), str(workers), *SOURCES[kind]]
        done = subprocess.run([sys.executable, "-c", KILLED, *words], check=False, env=os.environ)
        assert done.returncode == -signal.SIGKILL
        assert not target.exists()
    with partial_path(target).open("ab") as file:
        file.write(b'{"image": "half a ro')
    items, _ = find_pictures(SOURCES[kind])
    found = run(target, model, items)
    assert found.before == 14
    assert (found.pictures, found.errors) == (PICTURES, 1)
    run(tmp_path / "b.jsonl", model, items)
    assert target.read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    lines = target.read_text().splitlines()
    assert len({json.loads(line)["image"] for line in lines}) == PICTURES


def interrupted(target: Path, model: Model, items: list[Item], after: int) -> None:
    """Leave rows behind, as Ctrl-C does."""

    def watch(found, before):
        for place, answer in enumerate(found):
            if place == after:
                raise KeyboardInterrupt
            yield answer

    with pytest.raises(KeyboardInterrupt):
        run(target, model, items, watch=watch)


def test_other_pictures_are_not_mixed_in(tmp_path: Path, model: Model, items: list[Item]) -> None:
    target = tmp_path / "a.jsonl"
    interrupted(target, model, items, 10)
    with pytest.raises(UsageError, match=r"row 1 is of 000\.png, but .* have 001\.png"):
        run(target, model, items[1:])
    with pytest.raises(UsageError, match="no more pictures"):
        run(target, model, items[:3])
    assert run(target, model, items).before == 10


def test_other_models_are_not_mixed_in(tmp_path: Path, model: Model, items: list[Item]) -> None:
    target = tmp_path / "a.jsonl"
    interrupted(target, model, items, 10)
    with pytest.raises(UsageError, match=r"begun with another top_k; .* --force"):
        run(target, model, items, top_k=2)
    with pytest.raises(UsageError, match="begun with another model"):
        run(target, Model(picture_model(), backend="reference"), items)
    assert run(target, model, items, top_k=2, force=True).before == 0


def test_damaged_rows_are_not_gone_on_with(tmp_path: Path, model: Model, items: list[Item]) -> None:
    target = tmp_path / "a.jsonl"
    interrupted(target, model, items, 10)
    lines = partial_path(target).read_bytes().splitlines(keepends=True)
    partial_path(target).write_bytes(b"".join([*lines[:4], b"\0\0\0\n", *lines[5:]]))
    with pytest.raises(UsageError, match=r"damaged behind byte \d+; add --force"):
        run(target, model, items)


def test_a_finished_file_is_kept(tmp_path: Path, model: Model, items: list[Item]) -> None:
    run(tmp_path / "a.csv", model, items)
    with pytest.raises(UsageError, match="there already"):
        run(tmp_path / "a.csv", model, items[:3])
    assert run(tmp_path / "a.csv", model, items[:3], force=True).pictures == 3


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such lock")
def test_two_at_once(tmp_path: Path, model: Model, items: list[Item]) -> None:
    target = tmp_path / "a.jsonl"

    def watch(found, before):
        with pytest.raises(UsageError, match="another process"):
            run(target, model, items)
        return found

    assert run(target, model, items, watch=watch).pictures == PICTURES


def test_where_it_cannot_be_written(tmp_path: Path, model: Model, items: list[Item]) -> None:
    with pytest.raises(UsageError, match=r"expected an ending of \.jsonl, \.csv, \.parquet"):
        run(tmp_path / "a.txt", model, items)
    with pytest.raises(UsageError, match=r"cannot be written"):
        run(tmp_path / "missing" / "a.csv", model, items)
