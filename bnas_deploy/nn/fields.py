"""Checks of the fields of a network's configuration, of whatever kind. No configuration."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from bnas_deploy.errors import ConfigError
from bnas_deploy.shown import shown

__all__ = ["check_choice", "check_integer", "checked_keys"]


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
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        msg = f"{field} must be an integer of at least {least} and at most {most};"
        msg += f" got {shown(value)}"
        raise ConfigError(msg)


def checked_keys(
    what: str, value: object, known: Collection[str], *, required: Collection[str]
) -> dict[str, Any]:
    """Return what a file says of a configuration's fields, if it is a mapping of those.

    Args:
        what: For the message.
        value: From a file.
        known: Names of all fields.
        required: Fields that must be there.

    Raises:
        ConfigError: It is no mapping, or a key is unknown or missing.
    """
    if not isinstance(value, Mapping):
        msg = f"a network's configuration is a mapping; got {type(value).__name__}"
        raise ConfigError(msg)
    unknown = sorted(str(key) for key in value if key not in known)
    missing = sorted(set(required) - set(value))
    if unknown or missing:
        msg = (
            f"{what}: unknown keys {shown(unknown)},"
            f" missing keys {missing}; known are {sorted(known)}"
        )
        raise ConfigError(msg)
    return dict(value)
