"""How a network is trained: the `Recipe` and the two of the paper. No loop, no torch."""

from __future__ import annotations

import json
import os
import reprlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from bnas_deploy.errors import ConfigError

__all__ = [
    "RECIPES",
    "SCHEDULES",
    "Recipe",
    "read_recipe",
]

SCHEDULES = ("one-cycle", "cosine-restarts")


@dataclass(frozen=True)
class Recipe:
    """The knobs of a training run; the defaults are the paper's for CIFAR-10 (Section 5.1).

    Attributes:
        epochs: Passes over the training images. The paper's 600 take days without a GPU; with
            fewer than about 50 leave out drop-path.
        batch: Images a step, of all processes and passes together.
        accumulate: Passes of which a step sums the gradients; each computes an equal part of the
            batch, and BatchNorm sees the images of one pass only.
        lr: Peak learning rate; for short runs of small batches 0.08 works well.
        momentum: Of SGD; one-cycle swings around it.
        momentum_swing: Momentum goes from momentum + swing down to momentum - swing and back while
            the learning rate goes up and down (one-cycle only).
        weight_decay: On every parameter.
        drop_path: Probability, at the last epoch, of dropping an edge for a sample; grows linearly.
        label_smoothing: Share of the target spread over all classes; 0.1 for ImageNet.
        schedule: `one-cycle` or `cosine-restarts`.
        restart_epochs: Length of a cosine (cosine-restarts only).
        crop_padding: Pixels of zero padding for random crops; 0 switches them off.
        crop_area: Least share of a picture's area in a crop of random size and aspect ratio; 0
            switches them off. For images streamed from disk; 0.08 for ImageNet.
        flip: Whether half the images are mirrored.
        evaluate_every: Epochs between evaluations on the test images; the last one always is.

    Raises:
        ConfigError: A value has the wrong type or is out of range.
    """

    epochs: int = 600
    batch: int = 256
    accumulate: int = 1
    lr: float = 0.05
    momentum: float = 0.9
    momentum_swing: float = 0.05
    weight_decay: float = 3e-6
    drop_path: float = 0.2
    label_smoothing: float = 0.0
    schedule: str = "one-cycle"
    restart_epochs: int = 50
    crop_padding: int = 4
    crop_area: float = 0.0
    flip: bool = True
    evaluate_every: int = 1

    def __post_init__(self) -> None:
        for field in fields(self):
            _check_type(field.name, getattr(self, field.name), str(field.type))
        for name in ("epochs", "batch", "accumulate", "restart_epochs", "evaluate_every"):
            _check_range(name, getattr(self, name), 1, 1_000_000)
        for name in ("lr", "weight_decay", "momentum_swing"):
            _check_range(name, getattr(self, name), 0, 1_000_000)
        _check_range("crop_padding", self.crop_padding, 0, 1_000)
        for name in ("momentum", "drop_path", "label_smoothing", "crop_area"):
            _check_range(name, getattr(self, name), 0, 1)
        if self.schedule not in SCHEDULES:
            msg = f"recipe: schedule is one of {', '.join(SCHEDULES)}; got {self.schedule!r}"
            raise ConfigError(msg)

    def to_dict(self) -> dict[str, int | float | str | bool]:
        """Return plain values for JSON or a checkpoint."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: object, base: Recipe | None = None) -> Recipe:
        """Read a mapping of some of the fields; the others come from `base` or the defaults.

        Raises:
            ConfigError: A key is unknown, or a value is wrong.
        """
        if not isinstance(value, Mapping):
            msg = f"a recipe is a mapping of its fields; got {type(value).__name__}"
            raise ConfigError(msg)
        known = [field.name for field in fields(cls)]
        unknown = sorted(set(map(str, value)) - set(known))
        if unknown:
            msg = f"recipe: unknown keys {', '.join(unknown)}; known are {', '.join(known)}"
            raise ConfigError(msg)
        return cls(**{**(base or cls()).to_dict(), **value})


def read_recipe(path: str | os.PathLike[str], base: Recipe | None = None) -> Recipe:
    """Read a recipe from a TOML or JSON file of some of its fields.

    Raises:
        ConfigError: The file is missing, does not parse, or has an unknown key or a wrong value.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        value = json.loads(text) if path.suffix == ".json" else _parse_toml(text)
    except (OSError, ValueError, RecursionError) as error:
        msg = f"{path}: cannot be read as a recipe ({error})"
        raise ConfigError(msg) from error
    return Recipe.from_dict(value, base)


def _parse_toml(text: str) -> dict[str, Any]:
    try:
        import tomllib  # noqa: PLC0415 - new in Python 3.11
    except ImportError as error:
        msg = "TOML needs Python 3.11; write the recipe as .json"
        raise ConfigError(msg) from error
    return tomllib.loads(text)


def _check_type(name: str, value: object, kind: str) -> None:
    allowed: dict[str, tuple[type, ...]] = {
        "int": (int,),
        "float": (int, float),
        "str": (str,),
        "bool": (bool,),
    }
    if not isinstance(value, allowed[kind]) or (isinstance(value, bool) and kind != "bool"):
        msg = f"recipe: {name} must be of type {kind}; got {reprlib.repr(value)}"
        raise ConfigError(msg)


def _check_range(name: str, value: float, least: float, most: float | None) -> None:
    # Written so that NaN fails.
    if not (value >= least and (most is None or value <= most)):
        upper = "" if most is None else f" and at most {most}"
        msg = f"recipe: {name} must be at least {least}{upper}; got {value}"
        raise ConfigError(msg)


RECIPES: dict[str, Recipe] = {
    "cifar10": Recipe(),
    "imagenet": Recipe(
        epochs=250,
        batch=512,
        lr=0.1,
        weight_decay=3e-5,
        drop_path=0.0,
        label_smoothing=0.1,
        schedule="cosine-restarts",
        crop_padding=0,
        crop_area=0.08,
    ),
}
"""The paper's recipes by the kind of images."""
