"""Versions of the format: which one a program needs, which ones are read; not what they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bnas_deploy.errors import FormatError
from bnas_deploy.format.program import Program, Value
from bnas_deploy.format.steps import (
    AffineStage,
    BinaryConvolution,
    BinaryDepthwiseConv2d,
    BinaryGroupedConv2d,
    BinaryMaxPool2d,
    Clip,
    Constant,
    GroupedConv2d,
    MeanMagnitude,
    Multiply,
    Prelu,
    QuantizedConv2d,
    Sigmoid,
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
    BinaryMaxPool2d.OP: (1, 3),
    Clip.OP: (1, 3),
    Constant.OP: (1, 3),
    Prelu.OP: (1, 3),
    Sigmoid.OP: (1, 3),
}
"""Steps that the first version does not have."""

AFFINE_STAGE: Version = (1, 3)
WIDE_FACTOR: Version = (1, 3)
"""What older steps can do since: that stage, and factors of `multiply` other than (1, H, W)."""


def version_text(version: Version) -> str:
    """``major.minor``."""
    return "{}.{}".format(*version)


def needed_version(program: Program) -> Version:
    """The lowest version that has all steps of a program: what a file is written as."""
    return max((_since(step, program.values)[0] for step in program.steps), default=FIRST)


def check_steps(program: Program, version: Version) -> None:
    """Check that a file of that version may hold a valid program's steps.

    Raises:
        FormatError: One of them is newer.
    """
    for i, step in enumerate(program.steps):
        since, what = _since(step, program.values)
        if since > version:
            msg = (
                f"step {i}: {what} came with version {version_text(since)}, the file says"
                f" {version_text(version)}; it was not written by bnas-deploy"
            )
            raise FormatError(msg)


def _since(step: Step, values: Mapping[str, Value]) -> tuple[Version, str]:
    """The first version that has a step as it is, and what of it came with that version."""
    since = SINCE.get(step.OP, FIRST)
    if isinstance(step, BinaryConvolution) and since < AFFINE_STAGE:
        if any(isinstance(stage, AffineStage) for stage in step.stages):
            return AFFINE_STAGE, f"the stage {AffineStage.KIND}"
    elif isinstance(step, Multiply):
        shape, factor = values[step.input].shape, values[step.factor].shape
        if factor != (1, *shape[1:]):
            return WIDE_FACTOR, f"{step.OP} by a factor of shape {list(factor)}"
    return since, step.OP


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
