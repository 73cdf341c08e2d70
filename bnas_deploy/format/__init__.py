"""The ``.bnn`` file: its dataclasses, reader and writer (docs/format.md).

Names are imported on first use: running a file on the native engine needs few of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bnas_deploy.format.model_file import ModelFile
    from bnas_deploy.format.program import Interface, PackedModel, Preprocessing, Program, Value
    from bnas_deploy.format.reader import read
    from bnas_deploy.format.validation import validate
    from bnas_deploy.format.writer import to_bytes, write

__all__ = [
    "Interface",
    "ModelFile",
    "PackedModel",
    "Preprocessing",
    "Program",
    "Value",
    "read",
    "to_bytes",
    "validate",
    "write",
]

_MODULES = {
    "model_file": ("ModelFile",),
    "program": ("Interface", "PackedModel", "Preprocessing", "Program", "Value"),
    "reader": ("read",),
    "validation": ("validate",),
    "writer": ("to_bytes", "write"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
