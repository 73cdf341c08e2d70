"""Runs many pictures through a model in batches; an unreadable one does not stop the rest."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from bnas_deploy.errors import ImageError
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


def answers(model: Model, items: Iterable[Item], *, batch: int = 64) -> Iterator[Answer]:
    """Run pictures through a model, in order, holding one batch in memory.

    Args:
        model: The model; pictures are decoded with as many threads as it has.
        items: The pictures.
        batch: Number of pictures to run together; fewer where their inputs are very large.
    """
    batch = max(1, min(batch, INPUT_LIMIT // math.prod(model.input_shape)))
    rest = iter(items)
    with _mapper(model.threads) as mapped:
        while chunk := list(islice(rest, batch)):
            decoded = list(mapped(lambda item: _decode(model, item), chunk))
            yield from _answer_chunk(model, chunk, decoded)


@contextmanager
def _mapper(threads: int) -> Iterator[Callable[..., Iterable[Pixels | ImageError]]]:
    if threads == 1:
        yield map
        return
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    with ThreadPoolExecutor(threads) as pool:
        yield pool.map


def _decode(model: Model, item: Item) -> Pixels | ImageError:
    try:
        return model.pixels(item.picture, item.name)
    except ImageError as error:
        return error


def _answer_chunk(
    model: Model, chunk: list[Item], decoded: list[Pixels | ImageError]
) -> Iterator[Answer]:
    readable = [pixels for pixels in decoded if isinstance(pixels, np.ndarray)]
    logits = iter(model.run(model.normalise(readable)))
    for item, result in zip(chunk, decoded, strict=True):
        if isinstance(result, ImageError):
            yield Answer(item, None, result)
        else:
            yield Answer(item, next(logits), pixels=result)
