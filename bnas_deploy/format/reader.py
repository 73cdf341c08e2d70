"""Reads a ``.bnn`` file and checks all of it."""

from __future__ import annotations

import os
from types import MappingProxyType

from bnas_deploy.format.codec import decode
from bnas_deploy.format.container import unpack
from bnas_deploy.format.model_file import ModelFile
from bnas_deploy.format.program import PackedModel
from bnas_deploy.format.strict_json import parse_json
from bnas_deploy.format.validation import validate
from bnas_deploy.format.version import check_steps

__all__ = ["decoded", "read"]


def read(source: str | os.PathLike[str] | bytes) -> PackedModel:
    """The packed model of a ``.bnn`` file, given by its path or its bytes.

    Raises:
        FormatError: The file cannot be read, or breaks a rule of docs/format.md.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return ModelFile(bytes(source)).packed
    return ModelFile.at(source).packed


def decoded(blob: bytes) -> PackedModel:
    """The packed model of a file's bytes; `ModelFile.packed` is how to get one.

    Raises:
        FormatError: They break a rule of docs/format.md.
    """
    version, program, tensors = unpack(blob)
    # A view: what is read cannot drift apart from the file's bytes, which are kept.
    model = decode(parse_json(program, "bnas.program"), MappingProxyType(tensors))
    validate(model)
    check_steps(model.program, version)
    object.__setattr__(model, "file", blob)
    return model
