"""Versions of the format: which one a program needs, and which ones are read."""

from __future__ import annotations

import re

from bnas_deploy.errors import FormatError
from bnas_deploy.format.program import Program
from bnas_deploy.format.steps import STAGES, STEPS
from bnas_deploy.format.steps.step import FIRST, Version

__all__ = ["VERSION", "Version", "check_steps", "needed_version", "parse_version", "version_text"]

VERSION: Version = max(part.SINCE for part in (*STEPS.values(), *STAGES.values()))
"""The newest that is read and written."""


def version_text(version: Version) -> str:
    """``major.minor``."""
    return "{}.{}".format(*version)


def needed_version(program: Program) -> Version:
    """The lowest version that has all steps of a program: what a file is written as."""
    return max((step.since(program.values)[0] for step in program.steps), default=FIRST)


def check_steps(program: Program, version: Version) -> None:
    """Check that a file of that version may hold a valid program's steps.

    Raises:
        FormatError: One of them is newer.
    """
    for i, step in enumerate(program.steps):
        since, what = step.since(program.values)
        if since > version:
            msg = (
                f"step {i}: {what} came with version {version_text(since)}, the file says"
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
