"""What `bnas-export` does with a checkpoint of the authors' release: cell, labels, preprocessing.

Those are not in the file; `converters.from_release.convert` converts it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.errors import BnasError, UsageError
from bnas_deploy.format import PackedModel, Preprocessing
from bnas_deploy.nn.genotype import GENOTYPES, Genotype

if TYPE_CHECKING:
    from bnas_deploy.converters import Report
    from bnas_deploy.converters.eight_bit.facts import EightBitOptions
    from bnas_deploy.converters.from_release.cell import Arch
    from bnas_deploy.converters.from_release.convert import Release

__all__ = ["add_release_options", "export_release", "refuse_release_only", "refuse_release_options"]

Images = npt.NDArray[np.float32] | int

CIFAR10 = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
"""CIFAR-10's class names in the order of the logits."""

LONGEST = 2**24
"""Bytes of a genotype, labels or preprocessing file."""


def add_release_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that only such a checkpoint needs."""
    group = parser.add_argument_group("checkpoints of the authors' release (a plain state_dict)")
    add = group.add_argument
    add(
        "--arch",
        metavar="CELL",
        help=f"the cell: {', '.join(GENOTYPES)}, or a genotype file (default: the only known one"
        " that fits the weights)",
    )
    add(
        "--labels",
        metavar="NAMES",
        help="class names: cifar10, or a file with one a line or a JSON list; for ImageNet's a file"
        " is needed (default: cifar10 for ten classes and CIFAR-10's stem, else class 0, ...)",
    )
    add(
        "--preprocessing",
        metavar="HOW",
        help="cifar10 (32 x 32), imagenet (256, of which 224 x 224), or a JSON file with size,"
        " mean, std and perhaps resize (default: by the stem)",
    )


def refuse_release_options(args: argparse.Namespace) -> None:
    """Check that none of the options is given for a model.pt.

    Raises:
        UsageError: One is.
    """
    for name in ("arch", "labels", "preprocessing"):
        if getattr(args, name) is not None:
            msg = (
                f"--{name} is for a checkpoint of the authors' release; {args.model} is a model.pt,"
                " which holds its cell, labels and preprocessing"
            )
            raise UsageError(msg)


def refuse_release_only(args: argparse.Namespace) -> None:
    """Check that no option is given that only such a checkpoint has, for ONNX in or out.

    Raises:
        UsageError: One is.
    """
    for name in ("arch", "preprocessing"):
        if getattr(args, name) is not None:
            msg = f"--{name} is for a checkpoint of the authors' release, not for ONNX"
            raise UsageError(msg)


def export_release(
    args: argparse.Namespace,
    source: Path,
    value: object,
    *,
    facts: Mapping[str, Any],
    options: Callable[[Preprocessing], EightBitOptions | None],
    images: Callable[[Preprocessing], Images | None],
) -> tuple[PackedModel, Report]:
    """Convert such a checkpoint and check it against PyTorch.

    Args:
        args: The command's.
        source: The file.
        value: What it holds.
        facts: To store.
        options: Layers in 8 bits, for a given preprocessing.
        images: For the self-check, likewise; None for none.

    Raises:
        BnasError: As the converter's parts say.
    """
    from bnas_deploy.converters.from_release import convert as torch_release  # noqa: PLC0415

    arch = None if args.arch is None else _arch(args.arch)
    held = source.stat().st_size
    opened = torch_release.open_release(args.model, value, held=held, arch=arch)
    pixels, pixels_note = _preprocessing(args.preprocessing, opened.layout.dataset)
    release = torch_release.check_release(opened, pixels.crop[0])
    labels, labels_note = _labels(args.labels, release)
    release = replace(release, notes=(*release.notes, labels_note, pixels_note))
    model, report = torch_release.convert_release(
        release, labels=labels, preprocessing=pixels, provenance=facts, eight_bit=options(pixels)
    )
    pictures = images(pixels)
    if pictures is None:
        return model, report
    return torch_release.self_check_release(
        release, model, report, images=pictures, backend=args.backend, threads=args.threads
    )


def _arch(text: str) -> Arch:
    from bnas_deploy.converters.from_release.cell import Arch  # noqa: PLC0415

    if text in GENOTYPES:
        return Arch(text, GENOTYPES[text])
    if not Path(text).is_file():
        msg = f"--arch: expected {', '.join(GENOTYPES)}, or a genotype file; got {text!r}"
        raise UsageError(msg)
    try:
        return Arch(Path(text).name, Genotype.from_json(_read("--arch", text)))
    except BnasError as error:
        msg = f"--arch {text}: {error}"
        raise UsageError(msg) from error


def _labels(text: str | None, release: Release) -> tuple[tuple[str, ...], str]:
    """The labels, and what the report says of them."""
    classes = release.config.classes
    if text is None and (release.config.dataset, classes) == ("cifar10", len(CIFAR10)):
        return CIFAR10, "labels: cifar10 (by its stem and number of classes)"
    if text is None:
        names = tuple(f"class {index}" for index in range(classes))
        return names, f"labels: class 0 to class {classes - 1} (give names with --labels)"
    labels = CIFAR10 if text == "cifar10" else _labels_in(text)
    if len(labels) != classes:
        msg = f"--labels {text}: expected {classes} names, one a class; got {len(labels)}"
        raise UsageError(msg)
    return labels, f"labels: {text}"


def _labels_in(path: str) -> tuple[str, ...]:
    if not Path(path).is_file():
        msg = (
            f"--labels: expected cifar10, or a file of names (ImageNet's 1,000 are not shipped);"
            f" got {path!r}"
        )
        raise UsageError(msg)
    text = _read("--labels", path)
    if not text.lstrip().startswith("["):
        return tuple(line.strip() for line in text.splitlines() if line.strip())
    labels = _json("--labels", path, text)
    if not all(isinstance(label, str) for label in labels):
        msg = f"--labels {path}: expected a JSON list of names"
        raise UsageError(msg)
    return tuple(labels)


def _preprocessing(text: str | None, dataset: str) -> tuple[Preprocessing, str]:
    """The preprocessing, and what the report says of it."""
    from bnas_deploy.training.preprocessing import PREPROCESSING  # noqa: PLC0415
    from bnas_deploy.training.preprocessing import Preprocessing as Pixels  # noqa: PLC0415

    name = text or dataset
    if name in PREPROCESSING:
        # ImageNet's networks are evaluated on the centre of a picture resized to 256.
        resize = 256 if name == "imagenet" else 0
        pixels = replace(PREPROCESSING[name], resize=resize)
    else:
        try:
            pixels = Pixels.from_dict(_preprocessing_in(name))
        except BnasError as error:
            msg = f"--preprocessing {name}: {error}"
            raise UsageError(msg) from error
    if pixels.size[0] != pixels.size[1]:
        msg = f"--preprocessing {name}: expected a square size; got {list(pixels.size)}"
        raise UsageError(msg)
    found = Preprocessing(pixels.shorter_side, pixels.size, pixels.mean, pixels.std)
    side = pixels.size[0]
    return found, f"preprocessing: {name}{'' if text else ' (by its stem)'}, {side} x {side} pixels"


def _preprocessing_in(path: str) -> dict[str, Any]:
    if not Path(path).is_file():
        msg = f"expected cifar10, imagenet or a JSON file; got {path!r}"
        raise UsageError(msg)
    value = _json("--preprocessing", path, _read("--preprocessing", path))
    if not isinstance(value, dict):
        msg = f"expected a JSON object; got {type(value).__name__}"
        raise UsageError(msg)
    return {"channels": "RGB", "scale": 255, **value}


def _read(option: str, path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            data = file.read(LONGEST + 1)
        if len(data) > LONGEST:
            msg = f"{option} {path}: longer than {LONGEST:,} bytes"
            raise UsageError(msg)
        return data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{option} {path}: cannot be read as text ({error})"
        raise UsageError(msg) from error


def _json(option: str, path: str, text: str) -> Any:  # noqa: ANN401
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"{option} {path}: not JSON ({error})"
        raise UsageError(msg) from error
