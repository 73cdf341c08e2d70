"""The preprocessing of the two data sets, and how `model.pt` and checkpoints hold one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bnas_deploy.checks import is_within
from bnas_deploy.errors import ConfigError
from bnas_deploy.format.program import Preprocessing
from bnas_deploy.shown import shown

__all__ = ["PREPROCESSING", "preprocessing_from_dict", "preprocessing_to_dict"]

PREPROCESSING: dict[str, Preprocessing] = {
    "cifar10": Preprocessing(
        32,
        (32, 32),
        (0.49139968, 0.48215827, 0.44653124),
        (0.24703233, 0.24348505, 0.26158768),
    ),
    "imagenet": Preprocessing(224, (224, 224), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}
"""Means and deviations of the two data sets, by the kind of stem."""

_KEYS = {"size", "channels", "scale", "mean", "std"}
_RULES: dict[str, tuple[int, str, float, float]] = {
    "size": (2, "int", 1, 16_384),
    "mean": (3, "float", -1e30, 1e30),
    "std": (3, "float", 1e-12, 1e30),
}
"""How many numbers there are, of what type, and between which limits."""


def preprocessing_to_dict(preprocessing: Preprocessing) -> dict[str, object]:
    """Return plain values for a file; `size` is the crop."""
    value: dict[str, object] = {
        "size": list(preprocessing.crop),
        "channels": "RGB",
        "scale": 255,
        "mean": list(preprocessing.mean),
        "std": list(preprocessing.std),
    }
    # Left out where it says nothing, as in all files from before there was one.
    if preprocessing.resize != max(preprocessing.crop):
        value["resize"] = preprocessing.resize
    return value


def preprocessing_from_dict(value: object) -> Preprocessing:
    """Read what `preprocessing_to_dict` wrote; a `resize` of 0 is the longer side of `size`.

    Raises:
        ConfigError: A key is unknown or missing, or a value is of another type, not finite or out
            of range.
    """
    if not isinstance(value, Mapping) or set(value) - {"resize"} != _KEYS:
        msg = f"preprocessing: expected the keys {sorted(_KEYS)}; got {shown(value)}"
        raise ConfigError(msg)
    if value["channels"] != "RGB" or value["scale"] != 255:
        msg = "preprocessing: only channels RGB on the scale 255 are known"
        raise ConfigError(msg)
    size, mean, std = (_numbers(name, value[name]) for name in _RULES)
    return Preprocessing(_resize(value.get("resize", 0), max(size)), size, mean, std)


def _numbers(name: str, given: Any) -> Any:  # noqa: ANN401
    """A tuple of as many numbers as there must be."""
    count, kind, least, most = _RULES[name]
    good = isinstance(given, (list, tuple)) and len(given) == count
    if not good or not all(is_within(v, kind, least, most) for v in given):
        word = "whole numbers" if kind == "int" else "numbers"
        msg = (
            f"preprocessing: {name} must be {count} {word} from {least:g} to {most:g};"
            f" got {shown(given)}"
        )
        raise ConfigError(msg)
    return tuple(given)


def _resize(given: Any, crop: int) -> int:  # noqa: ANN401
    if not is_within(given, "int", 0, 16_384) or 0 < given < crop:
        msg = (
            "preprocessing: resize must be 0 or a whole number of pixels, from the crop's to"
            f" 16384; got {shown(given)}"
        )
        raise ConfigError(msg)
    return given or crop
