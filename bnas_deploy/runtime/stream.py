"""Runs many pictures through a model in batches; an unreadable one does not stop the rest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bnas_deploy.errors import ImageError
from bnas_deploy.runtime.images import Picture
from bnas_deploy.runtime.in_order import checked_workers, chunks, in_order
from bnas_deploy.runtime.model import Model
from bnas_deploy.runtime.sources import Item

__all__ = ["Answer", "answers"]

INPUT_LIMIT = 2**26
"""Elements of all inputs of a batch: 256 MiB, more than 64 pictures of 512 x 512 pixels."""

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Answer:
    """What came of one picture: logits, or the reason why there are none.

    Attributes:
        item: The picture.
        logits: float32 (classes,), or None.
        error: Why it could not be read, or None.
        pixels: uint8 (H, W, C) as the network saw them, or None.
    """

    item: Item
    logits: npt.NDArray[np.float32] | None
    error: ImageError | None = None
    pixels: Pixels | None = None


def answers(
    model: Model, items: Iterable[Item], *, batch: int = 64, workers: int | None = None
) -> Iterator[Answer]:
    """Run pictures through a model, in order, holding two batches in memory.

    Args:
        model: The model.
        items: The pictures.
        batch: Number of pictures to run together; fewer where their inputs are very large.
        workers: Number of threads that decode pictures while the network runs; None takes as many
            as the model has, and none where it has one.

    Raises:
        UsageError: `workers` is no whole number of at least 0.
    """
    batch = max(1, min(batch, INPUT_LIMIT // math.prod(model.input_shape)))
    workers = checked_workers(workers, model.threads)

    def decode(taken: tuple[Item, Picture | ImageError]) -> tuple[Item, Pixels | ImageError]:
        item, picture = taken
        if isinstance(picture, ImageError):
            return item, picture
        try:
            return item, model.pixels(picture, item.name)
        except ImageError as error:
            return item, error

    # What lies in larger files is read by the caller's thread, in order; the others decode.
    decoded = in_order(decode, map(_taken, items), workers=workers, ahead=batch)
    for chunk in chunks(decoded, batch):
        yield from _answer_chunk(model, chunk)


def _taken(item: Item) -> tuple[Item, Picture | ImageError]:
    try:
        return item, item.taken()
    except ImageError as error:
        return item, error


def _answer_chunk(model: Model, chunk: list[tuple[Item, Pixels | ImageError]]) -> Iterator[Answer]:
    readable = [pixels for _, pixels in chunk if isinstance(pixels, np.ndarray)]
    logits = iter(model.run(model.normalise(readable)))
    for item, result in chunk:
        if isinstance(result, ImageError):
            yield Answer(item, None, result)
        else:
            yield Answer(item, next(logits), pixels=result)
