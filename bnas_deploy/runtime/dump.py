"""A dump: every value of a program for some images, saved in a folder.

``index.json`` lists the values in program order; each has a NumPy file of its own, (N, C, H, W),
float32, or bool where True is -1. Files are numbered, as a value may be called anything.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.atomic import naming
from bnas_deploy.errors import FormatError, UsageError
from bnas_deploy.format.program import Program
from bnas_deploy.format.strict_json import parse_json
from bnas_deploy.runtime.model import Model

__all__ = ["Dump", "DumpedValue", "check_target", "dump", "read_dump"]

FORMAT = "bnas-dump 1.0"
INDEX = "index.json"
DTYPES = {"f32": np.dtype("<f4"), "bits": np.dtype("?")}


@dataclass(frozen=True)
class DumpedValue:
    """One value in a dump.

    Attributes:
        name: As in the program.
        file: Name of its file in the folder.
        step: Index of the step that assigns it; -1 for the input.
        op: What that step does; ``input`` for the input.
        kind: ``f32`` or ``bits``.
        shape: (C, H, W).
    """

    name: str
    file: str
    step: int
    op: str
    kind: str
    shape: tuple[int, int, int]


@dataclass(frozen=True)
class Dump:
    """A dump that was read; values are loaded when they are asked for.

    Attributes:
        folder: Where it lies.
        backend: What computed it.
        isa: Instruction set, or None.
        images: What the images were called.
        values: In program order.
    """

    folder: Path
    backend: str
    isa: str | None
    images: tuple[str, ...]
    values: tuple[DumpedValue, ...]

    def load(self, value: DumpedValue) -> npt.NDArray[Any]:
        """The elements of a value, (N, C, H, W), read from disk as they are needed.

        Raises:
            FormatError: Its file is missing or damaged, or does not fit the index.
        """
        path = self.folder / value.file
        try:
            array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            msg = f"{path}: cannot be read as a NumPy array ({error}); dump the layers again"
            raise FormatError(msg) from error
        expected = (len(self.images), *value.shape)
        if array.dtype != DTYPES[value.kind] or array.shape != expected:
            msg = (
                f"{path}: expected {DTYPES[value.kind]} {expected} as in {INDEX}, "
                f"got {array.dtype} {array.shape}; dump the layers again"
            )
            raise FormatError(msg)
        return array


def dump(
    model: Model,
    images: npt.NDArray[np.float32],
    folder: str | os.PathLike[str],
    *,
    names: Sequence[str],
    force: bool = False,
) -> None:
    """Run images and save every value of the program; the folder is there whole or not at all.

    Args:
        model: On any backend; all give the same bits.
        images: float32 (N, C, H, W), normalised, N at least 1.
        folder: Where to; must not exist, or be empty.
        names: What the images are called, N of them.
        force: Whether an older dump may be replaced; anything else is still left alone.

    Raises:
        UsageError: The folder is in the way.
    """
    folder = Path(folder)
    check_target(folder, force=force)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent))
    try:
        values = tuple(_dumped_values(model.packed.program))
        _write_values(model, images, values, temporary)
        _write_index(model, values, temporary, names)
        temporary.chmod(0o755)
        _put_in_place(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_target(folder: str | os.PathLike[str], *, force: bool = False) -> None:
    """Check that `dump` may write there; arguments are those of `dump`.

    Raises:
        UsageError: The folder is in the way.
    """
    folder = Path(folder)
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if not os.path.lexists(folder):
        return
    if not (folder / INDEX).is_file():
        msg = f"{folder}: exists and is not a dump; give the name of a new folder"
        raise UsageError(msg)
    if not force:
        msg = f"{folder}: holds a dump already; give another name, or --force to replace it"
        raise UsageError(msg)
    try:
        read_dump(folder)
    except FormatError as error:
        msg = f"{folder}: is not replaced, because it is not a dump ({error})"
        raise UsageError(msg) from error


def read_dump(folder: str | os.PathLike[str]) -> Dump:
    """Read the index of a dump.

    Raises:
        FormatError: The folder holds no dump, or one that is damaged.
    """
    folder = Path(folder)
    path = folder / INDEX
    try:
        index = parse_json(path.read_bytes(), str(path))
    except OSError as error:
        msg = f"{folder}: not a dump of bnas-run --dump-layers ({error})"
        raise FormatError(msg) from error
    try:
        if index["format"] != FORMAT:
            msg = f"{path}: expected format {FORMAT!r}, got {index['format']!r}"
            raise FormatError(msg)
        return Dump(
            folder=folder,
            backend=str(index["backend"]),
            isa=index["isa"],
            images=tuple(map(str, index["images"])),
            values=tuple(_read_value(entry) for entry in index["values"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{path}: not the index of a dump ({error!r}); dump the layers again"
        raise FormatError(msg) from error


def _read_value(entry: dict[str, Any]) -> DumpedValue:
    channels, height, width = map(int, entry["shape"])
    value = DumpedValue(**{**entry, "shape": (channels, height, width)})
    if Path(value.file).name != value.file or value.kind not in DTYPES:
        msg = f"value {value.name!r} has file {value.file!r} and kind {value.kind!r}"
        raise ValueError(msg)
    return value


def _dumped_values(program: Program) -> Iterator[DumpedValue]:
    made = [(program.input, -1, "input")]
    made += [(n, i, step.OP) for i, step in enumerate(program.steps) for n in step.writes()]
    for number, (name, step, op) in enumerate(made):
        value = program.values[name]
        yield DumpedValue(name, f"{number:05}.npy", step, op, value.kind, value.shape)


def _write_values(
    model: Model,
    images: npt.NDArray[np.float32],
    values: tuple[DumpedValue, ...],
    folder: Path,
) -> None:
    for value in values:
        header = {
            "descr": np.lib.format.dtype_to_descr(DTYPES[value.kind]),
            "fortran_order": False,
            "shape": (len(images), *value.shape),
        }
        with naming(folder / value.file), (folder / value.file).open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
    # One image at a time, so that many take no more memory than one.
    for i in range(len(images)):
        trace = model.runner.trace(images[i : i + 1])
        for value in values:
            with naming(folder / value.file), (folder / value.file).open("ab") as file:
                file.write(trace[value.name].astype(DTYPES[value.kind], order="C").tobytes())


def _write_index(
    model: Model, values: tuple[DumpedValue, ...], folder: Path, names: Sequence[str]
) -> None:
    index = {
        "format": FORMAT,
        "backend": model.backend,
        "isa": model.isa,
        "images": list(names),
        "values": [asdict(value) for value in values],
    }
    (folder / INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


def _put_in_place(temporary: Path, folder: Path) -> None:
    if not folder.exists() or not any(folder.iterdir()):
        temporary.replace(folder)
        return
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as trash:
        old = Path(trash) / "old"
        folder.replace(old)
        try:
            temporary.replace(folder)
        except BaseException:
            old.replace(folder)
            raise
