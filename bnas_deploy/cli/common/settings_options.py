"""Options that stand for the fields of `Settings`: adding them, and which of them were given."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import fields

from bnas_deploy.settings import Settings

__all__ = ["add_settings", "given"]


def add_settings(
    group: argparse._ArgumentGroup,
    kind: type[Settings],
    explained: Mapping[str, str],
    choices: Mapping[str, Sequence[str]],
) -> None:
    """Add an option for each field; one that is not given is None.

    Args:
        group: Gets the options.
        kind: Whose fields.
        explained: A line of help for each.
        choices: Values of the fields that are text.
    """
    for field in fields(kind):
        option = "--" + field.name.replace("_", "-")
        text = f"{explained[field.name]} (default {field.default})"
        if field.type == "bool":
            group.add_argument(
                option, action=argparse.BooleanOptionalAction, default=None, help=text
            )
        elif field.name in choices:
            group.add_argument(option, choices=choices[field.name], help=text)
        else:
            number = int if field.type == "int" else float
            group.add_argument(option, type=number, metavar="N", help=text)


def given(args: argparse.Namespace, kind: type[Settings]) -> dict[str, float | str]:
    """Return the settings that were given."""
    names = [field.name for field in fields(kind)]
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}
