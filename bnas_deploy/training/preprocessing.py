"""What is done to pixels before the network sees them, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bnas_deploy.checks import is_within
from bnas_deploy.errors import ConfigError
from bnas_deploy.shown import shown

__all__ = [
    "PREPROCESSING",
    "Preprocessing",
]

_KEYS = {"size", "channels", "scale", "mean", "std"}
_RULES: dict[str, tuple[int, str, float, float]] = {
    "size": (2, "int", 1, 16_384),
    "mean": (3, "float", -1e30, 1e30),
    "std": (3, "float", 1e-12, 1e30),
}
"""How many numbers there are, of what type, and between which limits."""


@dataclass(frozen=True)
class Preprocessing:
    """Resize, crop the centre to `size`, then (pixel / 255 - mean) / std for each channel of RGB.

    Attributes:
        size: Height and width in pixels.
        mean: Of each channel on the scale 0 to 1.
        std: Of each channel on the same scale.
        resize: Pixels of the shorter side before the crop; 0: the longer side of `size`.

    Raises:
        ConfigError: A value is missing, not finite or out of range.
    """

    size: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    resize: int = 0

    def __post_init__(self) -> None:
        for name, (count, kind, least, most) in _RULES.items():
            values = getattr(self, name)
            good = isinstance(values, tuple) and len(values) == count
            if not good or not all(is_within(v, kind, least, most) for v in values):
                word = "whole numbers" if kind == "int" else "numbers"
                msg = (
                    f"preprocessing: {name} must be {count} {word} from {least:g} to {most:g};"
                    f" got {shown(values)}"
                )
                raise ConfigError(msg)
        if not is_within(self.resize, "int", 0, 16_384) or 0 < self.resize < max(self.size):
            msg = (
                "preprocessing: resize must be 0 or a whole number of pixels, from the crop's to"
                f" 16384; got {shown(self.resize)}"
            )
            raise ConfigError(msg)

    @property
    def shorter_side(self) -> int:
        """Pixels of the shorter side before the crop."""
        return self.resize or max(self.size)

    def to_dict(self) -> dict[str, object]:
        """Return plain values for a checkpoint."""
        value: dict[str, object] = {
            "size": list(self.size),
            "channels": "RGB",
            "scale": 255,
            "mean": list(self.mean),
            "std": list(self.std),
        }
        # Left out where it says nothing, as in all files from before there was one.
        return {**value, "resize": self.resize} if self.resize else value

    @classmethod
    def from_dict(cls, value: object) -> Preprocessing:
        """Read what `to_dict` wrote.

        Raises:
            ConfigError: A key is unknown or missing, or a value is wrong.
        """
        if not isinstance(value, Mapping) or set(value) - {"resize"} != _KEYS:
            msg = f"preprocessing: expected the keys {sorted(_KEYS)}; got {shown(value)}"
            raise ConfigError(msg)
        if value["channels"] != "RGB" or value["scale"] != 255:
            msg = "preprocessing: only channels RGB on the scale 255 are known"
            raise ConfigError(msg)
        size, mean, std = (_as_tuple(value[name]) for name in ("size", "mean", "std"))
        return cls(size, mean, std, value.get("resize", 0))


def _as_tuple(value: Any) -> Any:  # noqa: ANN401
    # What is not a list fails the check of the class, whose message is the better one.
    return tuple(value) if isinstance(value, list) else value


PREPROCESSING: dict[str, Preprocessing] = {
    "cifar10": Preprocessing(
        (32, 32),
        (0.49139968, 0.48215827, 0.44653124),
        (0.24703233, 0.24348505, 0.26158768),
    ),
    "imagenet": Preprocessing((224, 224), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}
"""Means and deviations of the two data sets, by the kind of stem."""
