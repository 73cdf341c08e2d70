"""The base of the recipes: a frozen dataclass of plain values that checks itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import ClassVar, TypeVar

from bnas_deploy.checks import checked_keys, is_of, is_within
from bnas_deploy.errors import ConfigError
from bnas_deploy.shown import shown

__all__ = ["Settings"]

_Self = TypeVar("_Self", bound="Settings")


@dataclass(frozen=True)
class Settings:
    """Base of a frozen dataclass whose fields are annotated int, float, str or bool.

    Attributes:
        KIND: What the settings are called in messages.
        LIMITS: Smallest and largest value of the fields that are numbers.

    Raises:
        ConfigError: A value has the wrong type or is out of its limits.
    """

    KIND: ClassVar[str]
    LIMITS: ClassVar[Mapping[str, tuple[float, float]]]

    def __post_init__(self) -> None:
        for field in fields(self):
            self._check_type(field.name, str(field.type))
        for name, (least, most) in self.LIMITS.items():
            value = getattr(self, name)
            if not is_within(value, "float", least, most):
                msg = f"{self.KIND}: {name} must be from {least:g} to {most:g}; got {shown(value)}"
                raise ConfigError(msg)

    def to_dict(self) -> dict[str, int | float | str | bool]:
        """Return plain values for JSON or a checkpoint."""
        return asdict(self)

    @classmethod
    def from_dict(cls: type[_Self], value: object, base: _Self | None = None) -> _Self:
        """Read a mapping of some of the fields; the others come from `base` or the defaults.

        Raises:
            ConfigError: A key is unknown, or a value is wrong.
        """
        given = checked_keys(cls.KIND, value, [field.name for field in fields(cls)])
        return cls(**{**(base or cls()).to_dict(), **given})

    def _check_type(self, name: str, kind: str) -> None:
        value = getattr(self, name)
        if not is_of(value, kind):
            msg = f"{self.KIND}: {name} must be of type {kind}; got {shown(value)}"
            raise ConfigError(msg)
