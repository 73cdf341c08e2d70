"""The ``.bnn`` file: its dataclasses, reader and writer (docs/format.md)."""

from __future__ import annotations

from bnas_deploy.format.program import PackedModel, Preprocessing, Program, Value
from bnas_deploy.format.reader import read
from bnas_deploy.format.validation import validate
from bnas_deploy.format.writer import to_bytes, write

__all__ = [
    "PackedModel",
    "Preprocessing",
    "Program",
    "Value",
    "read",
    "to_bytes",
    "validate",
    "write",
]
