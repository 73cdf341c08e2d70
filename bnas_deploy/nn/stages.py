"""Checks of what says where the stages of a network begin, and how wide they are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from bnas_deploy.checks import check_integer
from bnas_deploy.errors import ConfigError
from bnas_deploy.shown import shown

__all__ = ["CHANNELS", "check_repeats", "checked_reductions", "checked_widths"]

CHANNELS = (1, 16_384)
"""How many channels a node may have."""

MOST_REDUCTIONS = 6
"""Each doubles the channels and halves the image."""


def checked_reductions(given: object, layers: int) -> tuple[int, ...] | None:
    """Return the indices of reduction cells.

    Args:
        given: A tuple, or a list where it comes from a file; None for two at the thirds.
        layers: Number of cells.

    Raises:
        ConfigError: They are not indices of cells in order, or there are too few cells.
    """
    if given is None:
        # Fewer than three cells would put both reduction cells in the same place.
        check_integer("layers (with reduction cells at the thirds)", layers, 3, 1000)
        return None
    if not isinstance(given, list | tuple) or len(given) > MOST_REDUCTIONS:
        msg = f"reduce_at lists at most {MOST_REDUCTIONS} cells; got {shown(given)}"
        raise ConfigError(msg)
    for index in given:
        check_integer("reduce_at (the index of a cell)", index, 0, layers - 1)
    if list(given) != sorted(set(given)):
        msg = f"reduce_at lists each cell once, in order; got {shown(given)}"
        raise ConfigError(msg)
    return tuple(given)


def checked_widths(given: object, channels: int, stages: int) -> tuple[int, ...]:
    """Return the channels of a node in each stage.

    Args:
        given: A tuple, or a list where it comes from a file; may be empty.
        channels: Of the first stage.
        stages: Their number.

    Raises:
        ConfigError: They are not as many as stages, or the first is another than `channels`.
    """
    if not isinstance(given, list | tuple) or len(given) not in (0, stages):
        msg = f"widths lists {stages} stages, or none; got {shown(given)}"
        raise ConfigError(msg)
    for width in given:
        check_integer("widths (channels of a stage)", width, *CHANNELS)
    if given and given[0] != channels:
        msg = (
            f"widths: the first stage's, {given[0]}, must be channels, {channels};"
            " leave channels out, or set it to the same"
        )
        raise ConfigError(msg)
    return tuple(given)


def check_repeats(widths: Sequence[int]) -> None:
    """Check that each stage can repeat the channels of the one before.

    Raises:
        ConfigError: One cannot.
    """
    if any(wider % width for width, wider in pairwise(widths)):
        msg = (
            "widths: the pool shortcut repeats channels, so each stage must be a whole multiple of"
            f" the one before; got {', '.join(map(str, widths))}; choose another shortcut or other"
            " widths"
        )
        raise ConfigError(msg)
