"""One row for each picture: what the network says, or why there is no answer."""

from __future__ import annotations

from typing import TypedDict

from bnas_deploy.runtime.model import Model
from bnas_deploy.runtime.stream import Answer

__all__ = ["Guessed", "Row", "row_of"]


class Guessed(TypedDict):
    """One class: its name, its place in the labels, its probability."""

    label: str
    index: int
    probability: float


class Row(TypedDict):
    """One picture; either the error is None, or the others are.

    `label`, `index` and `probability` are those of the best class; `top` holds the best classes.
    """

    image: str
    label: str | None
    index: int | None
    probability: float | None
    top: list[Guessed] | None
    error: str | None


def row_of(model: Model, answer: Answer, top_k: int) -> Row:
    """Return the row of an answer, with the `top_k` best classes."""
    name = answer.item.name
    if answer.logits is None:
        error = str(answer.error)
        return Row(image=name, label=None, index=None, probability=None, top=None, error=error)
    (prediction,) = model.rank(answer.logits[None], top_k=top_k)
    top = [
        Guessed(label=guess.label, index=guess.index, probability=guess.probability)
        for guess in prediction.top
    ]
    return Row(image=name, **top[0], top=top, error=None)
