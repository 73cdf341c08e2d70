"""Command-line options made from the fields of `Settings`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import fields

from bnas_deploy.errors import UsageError
from bnas_deploy.settings import Settings

__all__ = ["add_settings", "check_needs", "given"]


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


def check_needs(
    args: argparse.Namespace, settings: Settings, needs: Mapping[str, tuple[str, Sequence[object]]]
) -> None:
    """Check that every option that was given has a meaning beside the other settings.

    Args:
        args: The command's.
        settings: All of them.
        needs: For each field that only acts beside some values of another: that one, and the
            values; none stands for any but 0.

    Raises:
        UsageError: One has none.
    """
    for name in given(args, type(settings)):
        other, values = needs.get(name, (name, ()))
        value = getattr(settings, other)
        acts = value in values if values else bool(value)
        if other != name and not acts:
            option, beside = (f"--{field.replace('_', '-')}" for field in (name, other))
            allowed = " or ".join(map(str, values)) or "above 0"
            msg = f"{option} acts with {beside} {allowed} only; here it is {value}"
            raise UsageError(msg)
