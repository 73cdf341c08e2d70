"""Checks of values that people and files give: arguments, configurations, recipes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, SupportsIndex

from bnas_deploy.errors import ConfigError, UsageError
from bnas_deploy.shown import nearest, shown

__all__ = ["check_choice", "check_integer", "checked_keys", "is_of", "is_within", "whole"]

_ALLOWED: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "bool": (bool,),
}


def is_of(value: object, kind: str) -> bool:
    """Whether a value is an `int`, `float`, `str` or `bool`.

    A whole number is a `float` too; True and False are no numbers.
    """
    return isinstance(value, _ALLOWED[kind]) and (kind == "bool" or not isinstance(value, bool))


def is_within(value: object, kind: str, least: float, most: float) -> bool:
    """Whether a value is a number of a kind (`int` or `float`) between limits; NaN is not."""
    # Comparing, unlike math.isfinite, takes integers of any size.
    return is_of(value, kind) and least <= value <= most  # type: ignore[operator]


def check_choice(field: str, value: object, choices: Collection[str]) -> None:
    """Check that a field is one of some words.

    Raises:
        ConfigError: It is not.
    """
    if not isinstance(value, str) or value not in choices:
        msg = f"{field} is one of {', '.join(choices)}; got {shown(value)}"
        raise ConfigError(msg)


def check_integer(field: str, value: object, least: int, most: int) -> None:
    """Check that a field is an integer within limits.

    Raises:
        ConfigError: It is not.
    """
    if not is_within(value, "int", least, most):
        msg = f"{field} must be an integer of at least {least} and at most {most};"
        msg += f" got {shown(value)}"
        raise ConfigError(msg)


def whole(name: str, value: object, least: int) -> int:
    """Return an argument that is a whole number, also one of NumPy's; True and False are none.

    Raises:
        UsageError: It is something else, or below `least`.
    """
    # NumPy's integers have __index__, and so have its booleans in old versions, but no floats.
    if isinstance(value, SupportsIndex) and not (
        isinstance(value, bool) or str(getattr(value, "dtype", "")) == "bool"
    ):
        with suppress(TypeError):  # an array of several numbers
            number = value.__index__()
            if number >= least:
                return number
    msg = f"{name} must be a whole number of at least {least}; got {shown(value)}"
    raise UsageError(msg)


def checked_keys(
    what: str, value: object, known: Collection[str], *, required: Collection[str] = ()
) -> dict[str, Any]:
    """Return the fields that a file gives, if it is a mapping of known ones.

    Args:
        what: For the message.
        value: From a file.
        known: Names of all fields.
        required: Fields that must be there.

    Raises:
        ConfigError: It is not a mapping, or a key is unknown or missing.
    """
    if not isinstance(value, Mapping):
        msg = f"{what}: expected a mapping of its fields; got {type(value).__name__}"
        raise ConfigError(msg)
    unknown = sorted(str(key) for key in value if key not in known)
    missing = sorted(set(required) - set(value))
    if unknown or missing:
        unknown = [f"{key[:40]}{nearest(key[:40], known)}" for key in unknown]
        faults = [f"unknown keys {_few(unknown)}"] if unknown else []
        faults += [f"missing keys {_few(missing)}"] if missing else []
        msg = f"{what}: {'; '.join(faults)}; known are {', '.join(known)}"
        raise ConfigError(msg)
    return dict(value)


def _few(names: Sequence[str], most: int = 5) -> str:
    return ", ".join([*names[:most], *(["…"] if len(names) > most else [])])
