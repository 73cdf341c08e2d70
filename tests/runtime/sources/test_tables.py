"""Tests of pictures in Parquet files: bytes, Hugging Face's structs, which column, damage."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.stored_pictures import coloured, parquet_of

from bnas_deploy.errors import ImageError, UsageError
from bnas_deploy.runtime.sources import find_pictures
from bnas_deploy.runtime.sources.item import held
from bnas_deploy.runtime.sources.tables import Tables

pytest.importorskip("pyarrow")

CONTENTS = [content for _, content in coloured(40)]


@pytest.mark.parametrize("struct", [False, True], ids=["bytes", "struct"])
def test_rows_in_their_order(tmp_path: Path, *, struct: bool) -> None:
    rows = [{"bytes": x, "path": "a.png"} for x in CONTENTS] if struct else CONTENTS
    path = parquet_of(tmp_path / "x.parquet", rows)
    pictures, _ = find_pictures([str(path)])
    assert pictures.expected() == len(CONTENTS)
    found = [(item.name, item.taken()) for item in pictures]
    assert found == [(f"{path}/{i}", content) for i, content in enumerate(CONTENTS)]


def test_rows_that_are_passed_over_need_not_be_read(tmp_path: Path) -> None:
    path = parquet_of(tmp_path / "x.parquet", CONTENTS)
    for first in (1, 6, 7, 20, 39):
        found = [item.taken() for i, item in enumerate(Tables([path], None)) if i >= first]
        assert found == CONTENTS[first:]


def test_rows_without_a_picture(tmp_path: Path) -> None:
    rows = [{"bytes": None, "path": "a.png"}, {"bytes": b"x", "path": None}, None]
    path = parquet_of(tmp_path / "x.parquet", rows, group=3)
    items = [held(item) for item in Tables([path], "image")]
    assert items[1].taken() == b"x"
    for place in (0, 2):
        with pytest.raises(ImageError, match=rf"x\.parquet/{place}: no bytes of a picture"):
            items[place].taken()


def test_which_column(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    path = tmp_path / "x.parquet"
    parquet.write_table(pyarrow.table({"a": [b"1"], "b": [b"2"], "n": [3]}), path)
    assert [item.taken() for item in Tables([path], "b")] == [b"2"]
    for column, message in (
        (None, r"columns that may be: a, b; name the one of the pictures \(--column\)"),
        ("c", "unknown column 'c'"),
        ("n", "column n is of int64; expected binary, or a struct with bytes"),
    ):
        with pytest.raises(UsageError, match=message):
            Tables([path], column)
    parquet.write_table(pyarrow.table({"n": [3]}), path)
    with pytest.raises(UsageError, match="no column holds bytes"):
        Tables([path], None)


def test_a_column_without_a_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(UsageError, match="--column is of Parquet files"):
        find_pictures([str(tmp_path / "a.png")], column="image")


def test_what_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(UsageError, match=r"x\.parquet: cannot be read as Parquet"):
        find_pictures([str(path)])


def test_damage_inside_is_told_of_each_row_behind_it(tmp_path: Path) -> None:
    path = parquet_of(tmp_path / "x.parquet", CONTENTS, group=20)
    whole = path.read_bytes()
    place = whole.index(CONTENTS[0][:8]) - 60
    path.write_bytes(whole[:place] + b"\xff" * 60 + whole[place + 60 :])
    told = [held(item).picture for item in Tables([path], None)]
    assert told[20:] == CONTENTS[20:]
    for read in told[:20]:
        with pytest.raises(ImageError, match=r"x\.parquet: damaged"):
            read()  # type: ignore[operator]
