"""The input and the output of bnas-export and bnas-import: what they are, and where."""

from __future__ import annotations

import argparse
from pathlib import Path

from bnas_deploy.cli.convert.scope import PACK, TRANSLATE, UNPACK, Road
from bnas_deploy.converters.front_ends import FRONT_ENDS, front_end_of
from bnas_deploy.converters.packing.model_file import ModelFile
from bnas_deploy.errors import UsageError

__all__ = ["opened", "output_of", "road_for"]


def opened(name: str, *, foreign: bool) -> ModelFile:
    """The file that a command is given, or the code in its place.

    Args:
        name: As written on the command line.
        foreign: Whether it must be a model of another tool.

    Raises:
        UsageError: It is neither.
    """
    file = ModelFile(Path(name))
    if file.code is not None:
        return file
    if file.kind is not None and file.kind.key == "folder":
        inside = file.path / "model.pt"
        advice = f"give {inside}" if inside.is_file() else f"expected {_expected(foreign)}"
        msg = f"{name}: this is a folder; {advice}"
        raise UsageError(msg)
    if not file.path.is_file():
        msg = f"{name}: no such file; expected {_expected(foreign)}"
        raise UsageError(msg)
    return file


def road_for(file: ModelFile, *, onnx: bool, foreign: bool) -> Road:
    """What is to be done with a file.

    Args:
        file: From `opened`.
        onnx: Whether it becomes ONNX.
        foreign: Whether it must be a model of another tool.

    Raises:
        UsageError: It is of a kind from which the wanted file cannot be made.
    """
    path, kind = file.path, file.kind
    if kind is not None and kind.key == "bnn":
        if onnx:
            return Road(UNPACK, path, None)
        msg = (
            f"{path}: this is a .bnn file, which is packed: bnas-run runs it, bnas-inspect shows"
            " it, and bnas-export --format onnx writes it as ONNX"
        )
        raise UsageError(msg)
    front_end = front_end_of(file)
    if front_end is None:
        found = "of no known kind" if kind is None else str(kind)
        msg = f"{path}: expected {_expected(foreign)}; this file is {found}"
        raise UsageError(msg)
    if foreign and not front_end.foreign:
        msg = f"{path}: this is {front_end.reads}; bnas-export packs it"
        raise UsageError(msg)
    if onnx and front_end.no_onnx:
        packed = path.with_suffix(".bnn")
        msg = (
            f"--format onnx: {path} is {front_end.reads}, and {front_end.no_onnx}:"
            f" bnas-export {path} -o {packed}, then bnas-export {packed} --format onnx"
        )
        raise UsageError(msg)
    return Road(TRANSLATE if onnx else PACK, path, front_end)


def output_of(args: argparse.Namespace, road: Road) -> Path:
    """Where the result goes.

    Raises:
        UsageError: No file can be written there, it is the input, or its name says something else.
    """
    suffix = ".bnn" if road.name == PACK else ".onnx"
    code = ModelFile(road.path).code
    beside = road.path.with_suffix(suffix) if code is None else Path(_last_name(code) + suffix)
    output = Path(args.output) if args.output else beside
    other = ".onnx" if suffix == ".bnn" else ".bnn"
    if output.suffix.lower() == other:
        advice = "add --format onnx" if suffix == ".bnn" else "leave out --format onnx"
        msg = f"-o {output}: what is written is a {suffix} file; name it so, or {advice}"
        raise UsageError(msg)
    if output.resolve() == road.path.resolve():
        msg = f"{output}: cannot be written there, it is the input; name another file with -o"
        raise UsageError(msg)
    if not output.parent.is_dir() or output.is_dir():
        msg = f"{output}: cannot be written there; name a file in an existing folder with -o"
        raise UsageError(msg)
    return output


def _last_name(code: str) -> str:
    return code.rpartition(":")[2].rpartition(".")[2]


def _expected(foreign: bool) -> str:
    kinds = [front_end.reads for front_end in FRONT_ENDS if front_end.foreign or not foreign]
    return " or ".join([", ".join(kinds[:-1]), kinds[-1]] if kinds[1:] else kinds)
