"""The options of bnas-export and bnas-import; one that is not given is None or False."""

from __future__ import annotations

import argparse

from bnas_deploy.cli.common.entry import positive
from bnas_deploy.errors import UsageError
from bnas_deploy.nn.genotype import GENOTYPES

__all__ = ["MOST", "add_code", "add_common", "add_foreign", "add_release"]

MOST = 512
"""Pictures that calibration takes at most."""


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add the options that both commands have for every model."""
    _add_output(parser)
    _add_check(parser)
    _add_eight_bit(parser)
    group = parser.add_argument_group("machine")
    group.add_argument(
        "--backend",
        metavar="NAME",
        help="what runs the packed program for the self-check and to measure ranges: native, numba"
        " or reference (default: the best here)",
    )
    group.add_argument(
        "--threads", type=positive, metavar="N", help="threads that the backend uses (default: 1)"
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("-o", "--output", metavar="FILE", help="(default: MODEL.bnn beside the model)")
    add("--json", action="store_true", help="print the report as one JSON object")
    add(
        "--labels",
        metavar="NAMES",
        help="class names: cifar10, or a file with one per line or a JSON list (default: those in"
        " the model, else class 0, class 1, ...)",
    )


def _add_check(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("self-check")
    add = group.add_argument
    add("--no-check", "--no-verify", action="store_true", help="skip the check")
    add(
        "--check-random",
        "--verify-images",
        type=positive,
        metavar="N",
        help="check on N random images (default: 32); a few that are made to break things, such as"
        " black ones, are always added",
    )
    add(
        "--check-images",
        "--images",
        nargs="+",
        metavar="IMAGE",
        help="check on these pictures and folders, or on one .npy array (N, ...) of the model's"
        " inputs",
    )


def _add_eight_bit(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("full-precision layers in 8 bits")
    add = group.add_argument
    add(
        "--eight-bit",
        type=_kinds,
        metavar="LAYERS",
        help="layers to put into 8 bits: shortcut, stem, classifier (several with commas), all, or"
        " none (default: shortcut)",
    )
    add(
        "--calibrate",
        nargs="+",
        metavar="IMAGE",
        help=f"pictures and folders to measure the ranges on, or one .npy array; at most {MOST:,}"
        " are used, spread evenly (default: synthetic pictures)",
    )


def add_foreign(parser: argparse.ArgumentParser) -> None:
    """Add the options of models that other tools wrote."""
    group = parser.add_argument_group("models of other tools, and your own of PyTorch")
    add = group.add_argument
    add("--allow-float", action="store_true", help="accept layers that stay in full precision")
    add(
        "--sign-zero",
        choices=("auto", "exact", "plus"),
        help="their Sign(0) is 0: keep the 0 where it occurs by more than coincidence (auto, the"
        " default), keep it everywhere (exact), or use +1 (plus)",
    )
    add("--mean", type=_numbers, metavar="M,M,M", help="of each channel, from 0 to 1 (default: 0)")
    add("--std", type=_numbers, metavar="S,S,S", help="of each channel (default: 1)")
    add("--resize", type=positive, metavar="PIXELS", help="resize a picture's shorter side to this")


def add_code(parser: argparse.ArgumentParser) -> None:
    """Add the options of a model that the user's code builds."""
    group = parser.add_argument_group("package.module:name, your code that builds a model")
    add = group.add_argument
    add(
        "--input-shape",
        type=_extents,
        metavar="C,H,W",
        help="what one input is, such as 3,224,224; a single number for vectors",
    )
    add(
        "--weights",
        metavar="FILE",
        help="a checkpoint for it: a state_dict, or a file that holds one (default: it has the"
        " weights that it was built with)",
    )
    add(
        "--entry",
        metavar="NAME",
        help="of --weights, or of a checkpoint of the authors' release: which entry of the file"
        " holds the weights, such as state_dict or state_dict_ema, with dots where entries are in"
        " others (default: the only one that does)",
    )


def add_release(parser: argparse.ArgumentParser) -> None:
    """Add the options of checkpoints of the authors' release."""
    group = parser.add_argument_group("checkpoints of the authors' release (a plain state_dict)")
    add = group.add_argument
    add(
        "--arch",
        metavar="CELL",
        help=f"the cell: {', '.join(GENOTYPES)}, or a genotype file (default: the only known one"
        " that fits the weights)",
    )
    add(
        "--preprocessing",
        metavar="HOW",
        help="cifar10 (32 x 32), imagenet (256, cropped to 224 x 224), or a JSON file with size,"
        " mean, std and optionally resize (default: by the stem)",
    )


def _kinds(text: str) -> tuple[str, ...]:
    """The value of --eight-bit."""
    # Not at the top: --version needs no converter.
    from bnas_deploy.converters.eight_bit.facts import KINDS, check_kinds  # noqa: PLC0415

    if text in ("all", "none"):
        return KINDS if text == "all" else ()
    try:
        return check_kinds(text.split(","))
    except UsageError as error:
        msg = f"expected all, none, or some of {', '.join(KINDS)} with commas between; got {text!r}"
        raise argparse.ArgumentTypeError(msg) from error


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        msg = f"expected numbers with commas between, got {text!r}"
        raise argparse.ArgumentTypeError(msg) from error


def _extents(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if len(parts) not in (1, 3) or not all(part.isdecimal() and int(part) for part in parts):
        msg = f"expected three numbers C,H,W or one, from 1; got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return tuple(map(int, parts))
