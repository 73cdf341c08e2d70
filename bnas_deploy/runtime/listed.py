"""Pictures as a caller gives them: one or several, and what to call each in errors."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import cast

import numpy as np

from bnas_deploy.errors import UsageError
from bnas_deploy.runtime.images import Picture, describe

__all__ = ["named"]

SEVERAL = 4
"""Dimensions of an array that holds several pictures."""


def named(images: object) -> Iterable[tuple[str | None, Picture]]:
    """Pictures, and what to call them in errors: None stands for their own names.

    An array of four dimensions holds several; any other is one picture, as is a Pillow image.

    Raises:
        UsageError: `images` is neither a picture nor an iterable.
    """
    one = isinstance(images, (str, os.PathLike, bytes)) or hasattr(images, "getexif")
    if one or (isinstance(images, np.ndarray) and images.ndim != SEVERAL):
        return [(None, cast("Picture", images))]
    if isinstance(images, Iterable):
        return ((_name(i, picture), picture) for i, picture in enumerate(images))
    msg = f"expected a path, a picture, an array or a list of those; got {type(images).__name__}"
    raise UsageError(msg)


def _name(i: int, picture: Picture) -> str | None:
    own = isinstance(picture, (str, os.PathLike))
    return None if own else f"images[{i}] {describe(picture)}"
