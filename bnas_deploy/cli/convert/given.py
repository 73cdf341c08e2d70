"""Files that options name: class names, preprocessing, a cell, pictures or arrays."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.errors import BnasError, UsageError
from bnas_deploy.format import Preprocessing
from bnas_deploy.nn.genotype import GENOTYPES, Genotype
from bnas_deploy.shown import found_name, nearest, safe

if TYPE_CHECKING:
    from bnas_deploy.converters.from_release.cell import Arch

__all__ = ["arch_of", "inputs_of", "labels_of", "preprocessing_of"]

LONGEST = 2**24
"""Bytes of a genotype, labels or preprocessing file."""


def labels_of(text: str) -> tuple[str, ...]:
    """The class names that --labels gives.

    Raises:
        UsageError: It names no data set with names, and no file of them.
    """
    from bnas_deploy.converters.from_release.defaults import CIFAR10  # noqa: PLC0415

    if text.lower() == "cifar10":
        return CIFAR10
    if not Path(text).is_file():
        msg = (
            f"--labels: expected cifar10, or a file of names (ImageNet's 1,000 are not shipped);"
            f" got {text!r}"
        )
        raise UsageError(msg)
    content = _read("--labels", text)
    if not content.lstrip().startswith("["):
        return tuple(line.strip() for line in content.splitlines() if line.strip())
    labels = _json("--labels", text, content)
    if not all(isinstance(label, str) for label in labels):
        msg = f"--labels {text}: expected a JSON list of names"
        raise UsageError(msg)
    return tuple(labels)


def arch_of(text: str) -> Arch:
    """The cell that --arch gives.

    Raises:
        UsageError: It is neither a known name nor a genotype file.
    """
    from bnas_deploy.converters.from_release.cell import Arch  # noqa: PLC0415

    name = found_name(text, GENOTYPES)
    if name is not None:
        return Arch(name, GENOTYPES[name])
    if not Path(text).is_file():
        known = f"{', '.join(GENOTYPES)}, or a genotype file"
        msg = f"--arch: expected {known}; got {text!r}{nearest(text, GENOTYPES)}"
        raise UsageError(msg)
    try:
        return Arch(Path(text).name, Genotype.from_json(_read("--arch", text)))
    except BnasError as error:
        msg = f"--arch {text}: {error}"
        raise UsageError(msg) from error


def preprocessing_of(text: str) -> Preprocessing:
    """The preprocessing that --preprocessing gives.

    Raises:
        UsageError: It is neither a known name nor a file with a preprocessing.
    """
    from bnas_deploy.converters.from_release.defaults import known_preprocessing  # noqa: PLC0415
    from bnas_deploy.training.data.preprocessing import (  # noqa: PLC0415
        PREPROCESSING,
        preprocessing_from_dict,
    )

    name = found_name(text, PREPROCESSING)
    if name is not None:
        return known_preprocessing(name)
    try:
        return preprocessing_from_dict(_preprocessing_in(text))
    except BnasError as error:
        msg = f"--preprocessing {text}: {error}"
        raise UsageError(msg) from error


def _preprocessing_in(path: str) -> dict[str, Any]:
    if not Path(path).is_file():
        msg = f"expected cifar10, imagenet or a JSON file; got {path!r}"
        raise UsageError(msg)
    value = _json("--preprocessing", path, _read("--preprocessing", path))
    if not isinstance(value, dict):
        msg = f"expected a JSON object; got {type(value).__name__}"
        raise UsageError(msg)
    return {"channels": "RGB", "scale": 255, **value}


def inputs_of(
    names: Sequence[str], preprocessing: Preprocessing, *, most: int | None = None
) -> npt.NDArray[np.float32]:
    """Read pictures and folders of them, or one .npy array, `most` at most, spread evenly.

    Returns:
        float32 (N, C, H, W), preprocessed; an array as it is.

    Raises:
        UsageError: A name is neither a picture nor a folder, or the array holds no inputs.
        ImageError: A picture cannot be read.
    """
    if len(names) == 1 and names[0].endswith(".npy"):
        array = _array(names[0])
        return array if most is None else array[_spread(len(array), most)]
    from bnas_deploy.runtime.preprocess import normalise, read_pixels  # noqa: PLC0415
    from bnas_deploy.runtime.sources import find_pictures  # noqa: PLC0415

    items, problems = find_pictures(names)
    if problems:
        raise UsageError("; ".join(problems))
    for note in items.notes:
        print(f"note: {safe(note)}", file=sys.stderr)
    chosen = None if most is None else set(_spread(sum(1 for _ in items), most))
    pixels = [
        read_pixels(item.taken(), preprocessing, item.name)
        for i, item in enumerate(items)
        if chosen is None or i in chosen
    ]
    return normalise(np.stack(pixels), preprocessing)


def _spread(count: int, most: int) -> list[int]:
    """At most so many places of a list, from its start to its end."""
    return [i * count // most for i in range(most)] if count > most else list(range(count))


def _array(name: str) -> npt.NDArray[np.float32]:
    try:
        array = np.load(name, allow_pickle=False)
    except (OSError, ValueError) as error:
        msg = f"{name}: not an array that NumPy can read ({error})"
        raise UsageError(msg) from error
    if not isinstance(array, np.ndarray) or array.ndim < 2 or array.dtype.kind not in "fiu":
        msg = f"{name}: expected an array (N, ...) of numbers"
        raise UsageError(msg)
    if not len(array) or not np.isfinite(array).all():
        msg = f"{name}: expected at least one input, of finite numbers"
        raise UsageError(msg)
    return array.astype(np.float32)


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
