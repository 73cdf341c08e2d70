"""JSON Lines: one object a row, with the fields of `Row`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import BinaryIO

from bnas_deploy.bulk.rows import Row

__all__ = ["write_jsonl"]


def write_jsonl(file: BinaryIO, rows: Iterable[Row]) -> None:
    """Write all rows."""
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
