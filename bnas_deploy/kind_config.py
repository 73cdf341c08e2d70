"""`KindConfig`: configurations that name their kind in files, for networks that are not cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeVar

from bnas_deploy.checks import check_choice, check_integer, checked_keys
from bnas_deploy.errors import ConfigError
from bnas_deploy.shown import shown

__all__ = ["MOST_LAYERS", "KindConfig"]

C = TypeVar("C", bound="KindConfig")

MOST_LAYERS = 1000

_RANGES: dict[str, tuple[int, int]] = {
    # Far above any network, and low enough that a hostile file cannot ask for all memory.
    "channels": (1, 2048),
    "layers": (0, MOST_LAYERS),
    "classes": (1, 1_000_000),
    "image_size": (1, 16_384),
}


@dataclass(frozen=True)
class KindConfig:
    """A network, as plain values.

    Attributes:
        KIND: What a file calls configurations of this kind.
        WHAT: What errors call them.
        REQUIRED: Fields that a file must have.
        CHOICES: The words that a field may be.
        EDGES: Whether there are edges that drop-path could drop.
    """

    KIND: ClassVar[str]
    WHAT: ClassVar[str]
    REQUIRED: ClassVar[frozenset[str]]
    CHOICES: ClassVar[Mapping[str, Mapping[str, int] | tuple[str, ...]]]
    EDGES: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for field, choices in self.CHOICES.items():
            check_choice(field, getattr(self, field), choices)
        name = getattr(self, "name", None)
        if not isinstance(name, str):
            msg = f"name: expected a str; got {shown(name)}"
            raise ConfigError(msg)
        for field, (least, most) in _RANGES.items():
            check_integer(field, getattr(self, field), least, most)

    def to_dict(self) -> dict[str, object]:
        """Return plain values for JSON or a checkpoint."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {"kind": self.KIND, **values}

    def facts(self) -> dict[str, Any]:
        """Return what a packed file says of the network."""
        return {"network": self.to_dict()}

    @classmethod
    def from_dict(cls: type[C], value: object) -> C:
        """Read what `to_dict` wrote.

        Raises:
            ConfigError: A key is unknown or missing, or a value is wrong.
        """
        known = ["kind", *(field.name for field in fields(cls))]
        found = checked_keys(cls.WHAT, value, known, required=cls.REQUIRED)
        check_choice("kind", found.pop("kind", cls.KIND), [cls.KIND])
        return cls(**found)
