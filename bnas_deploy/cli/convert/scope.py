"""Which option acts on which road, and the message that refuses it elsewhere.

A front end's own options are in the table of front ends; the others are in `ROADS`. Both the
refusals and the test that walks through all pairs of options follow from the two.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bnas_deploy.converters.front_ends import FRONT_ENDS, FrontEnd
from bnas_deploy.errors import UsageError

__all__ = ["PACK", "ROADS", "TRANSLATE", "UNPACK", "Road", "check_options", "given_options"]

PACK = "pack"
"""A model becomes a .bnn file."""
TRANSLATE = "translate"
"""A model becomes ONNX as it is."""
UNPACK = "unpack"
"""A .bnn file becomes ONNX."""

_ALL = frozenset({PACK, TRANSLATE, UNPACK})
ROADS = {
    "model": _ALL,
    "output": _ALL,
    "format": _ALL,
    "json": _ALL,
    "no_check": _ALL,
    "check_random": _ALL,
    "check_images": _ALL,
    "backend": frozenset({PACK, UNPACK}),
    "threads": frozenset({PACK, UNPACK}),
    "eight_bit": frozenset({PACK}),
    "calibrate": frozenset({PACK}),
    "float": frozenset({TRANSLATE}),
    "labels": frozenset({PACK}),
    "allow_float": frozenset({PACK}),
    "sign_zero": frozenset({PACK}),
    "mean": frozenset({PACK}),
    "std": frozenset({PACK}),
    "resize": frozenset({PACK}),
    "entry": frozenset({PACK}),
    "input_shape": frozenset({PACK}),
    "weights": frozenset({PACK}),
    "arch": frozenset({PACK}),
    "preprocessing": frozenset({PACK}),
}
"""Every option, and the roads on which it acts."""

_OWN = frozenset().union(*(front_end.options for front_end in FRONT_ENDS))


@dataclass(frozen=True)
class Road:
    """What a command is about to do.

    Attributes:
        name: `PACK`, `TRANSLATE` or `UNPACK`.
        path: The input.
        front_end: What reads it; None for a .bnn file.
    """

    name: str
    path: Path
    front_end: FrontEnd | None


def given_options(args: argparse.Namespace) -> list[str]:
    """Names of the options that were given."""
    return [name for name, value in vars(args).items() if value is not None and value is not False]


def check_options(args: argparse.Namespace, road: Road) -> None:
    """Check that every option that was given acts, and that no two contradict each other.

    Raises:
        UsageError: One does not; the message says why, and what to do.
    """
    for name in given_options(args):
        front_end = road.front_end
        if name in _OWN and front_end is not None and name not in front_end.options:
            raise UsageError(_not_of(name, road.path, front_end))
        if road.name not in ROADS[name]:
            raise UsageError(_not_here(name, road))
    _check_together(args, road)


def spelled(name: str) -> str:
    """What is written on the command line."""
    return "--" + name.replace("_", "-")


def _not_of(name: str, path: Path, front_end: FrontEnd) -> str:
    kinds = " or ".join(other.reads for other in FRONT_ENDS if name in other.options)
    return f"{spelled(name)} is for {kinds}; {path} is {front_end.reads}"


def _not_here(name: str, road: Road) -> str:
    option, path = spelled(name), road.path
    if name == "float":
        if road.name == UNPACK:
            return "--float needs the model.pt: a .bnn file no longer has the float weights"
        return "--float needs --format onnx: a packed program has no float counterpart"
    if road.name == UNPACK:
        return f"{option} is for packing, and {path} is packed; give it when you pack the model"
    if PACK in ROADS[name] and UNPACK in ROADS[name]:
        return (
            f"{option} is for a packed program, and none runs here: --format onnx writes {path} as"
            " it is"
        )
    return (
        f"{option} is for packing, and --format onnx writes {path} as it is; pack it with {option},"
        " then give the .bnn file to bnas-export --format onnx"
    )


def _check_together(args: argparse.Namespace, road: Road) -> None:
    checks = [name for name in ("check_images", "check_random") if getattr(args, name)]
    if len(checks) > 1:
        msg = "give either --check-images or --check-random, not both"
        raise UsageError(msg)
    if args.no_check and checks:
        msg = f"--no-check contradicts {spelled(checks[0])}"
        raise UsageError(msg)
    if args.calibrate and args.eight_bit == ():
        msg = "--calibrate is for layers in 8 bits, and --eight-bit none leaves none"
        raise UsageError(msg)
    runs = road.name == PACK and args.eight_bit != ()
    if args.no_check and not runs:
        _check_nothing_runs(args, ["--no-check"] + ["--eight-bit none"] * (road.name == PACK))


def _check_nothing_runs(args: argparse.Namespace, because: Sequence[str]) -> None:
    for name in ("backend", "threads"):
        if getattr(args, name) is not None:
            leave = "leaves" if len(because) == 1 else "leave"
            msg = f"{' and '.join(because)} {leave} nothing for {spelled(name)} to run"
            raise UsageError(msg)
