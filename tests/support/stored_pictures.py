"""Pictures of known names in tars and Parquet files."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image

Named = tuple[str, bytes]


def png(colour: str | tuple[int, int, int]) -> bytes:
    """A small picture of one colour, as a PNG file."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(file, "png")
    return file.getvalue()


def coloured(count: int) -> list[Named]:
    """So many pictures, all different."""
    return [
        (f"{i:03}.png", png((i * 5 % 256, 255 - i * 5 % 256, i * 3 % 256))) for i in range(count)
    ]


def tar_of(path: Path, files: Iterable[Named]) -> Path:
    """Write a tar, compressed as its name's ending says."""
    ending = path.suffix.removeprefix(".")
    with tarfile.open(path, f"w:{ending if ending in ('gz', 'bz2', 'xz') else ''}") as tar:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def parquet_of(
    path: Path, contents: Sequence[object], *, column: str = "image", group: int = 7
) -> Path:
    """Write a Parquet file with a column of bytes (or anything) and one of numbers."""
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.table({"number": list(range(len(contents))), column: list(contents)})
    parquet.write_table(table, path, row_group_size=group)
    return path
