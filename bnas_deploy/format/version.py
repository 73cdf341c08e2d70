"""Versions of the format: which one a program needs, which ones are read; not what they hold."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bnas_deploy.errors import FormatError
from bnas_deploy.format.steps import (
    BinaryDepthwiseConv2d,
    BinaryGroupedConv2d,
    GroupedConv2d,
    MeanMagnitude,
    Multiply,
    QuantizedConv2d,
    Step,
)

__all__ = ["VERSION", "Version", "check_steps", "needed_version", "parse_version", "version_text"]

Version = tuple[int, int]  # major, minor

FIRST: Version = (1, 0)
VERSION: Version = (1, 3)
"""The newest that is read and written."""

SINCE: dict[str, Version] = {
    QuantizedConv2d.OP: (1, 1),
    BinaryDepthwiseConv2d.OP: (1, 2),
    MeanMagnitude.OP: (1, 2),
    Multiply.OP: (1, 2),
    BinaryGroupedConv2d.OP: (1, 3),
    GroupedConv2d.OP: (1, 3),
}
"""Steps that the first version does not have."""


def version_text(version: Version) -> str:
    """``major.minor``."""
    return "{}.{}".format(*version)


def needed_version(steps: Iterable[Step]) -> Version:
    """The lowest version that has all these steps: what a file is written as."""
    return max((SINCE.get(step.OP, FIRST) for step in steps), default=FIRST)


def check_steps(steps: Iterable[Step], version: Version) -> None:
    """Check that a file of that version may hold these steps.

    Raises:
        FormatError: One of them is newer.
    """
    for i, step in enumerate(steps):
        since = SINCE.get(step.OP, FIRST)
        if since > version:
            msg = (
                f"step {i}: {step.OP} came with version {version_text(since)}, the file says"
                f" {version_text(version)}; it was not written by bnas-deploy"
            )
            raise FormatError(msg)


def parse_version(text: str) -> Version:
    """The version that a file states, if this program reads it.

    Raises:
        FormatError: It is none, of another major version, or newer.
    """
    own = version_text(VERSION)
    match = re.fullmatch(r"([0-9]{1,6})\.([0-9]{1,6})", text)
    if match is None:
        msg = f"bnas.version must look like {own}, got {text[:40]!r}"
        raise FormatError(msg)
    major, minor = int(match[1]), int(match[2])
    if major != VERSION[0] or minor > VERSION[1]:
        advice = "update bnas-deploy" if (major, minor) > VERSION else "export the network again"
        msg = f"the file has format version {text}, this program reads {own}; {advice}"
        raise FormatError(msg)
    return major, minor
