"""From logits to named classes with probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.errors import UsageError

__all__ = ["Guess", "Prediction", "as_record", "best", "check_logits", "softmax"]


@dataclass(frozen=True)
class Guess:
    """One class with its probability.

    Attributes:
        label: Name of the class.
        index: Its place in the labels.
        probability: Between 0 and 1.
    """

    label: str
    index: int
    probability: float


@dataclass(frozen=True)
class Prediction:
    """What a network says about one picture.

    Attributes:
        top: The most probable classes, best first; of equal logits, in the order of the labels.
    """

    top: tuple[Guess, ...]

    @property
    def label(self) -> str:
        """Name of the most probable class."""
        return self.top[0].label

    @property
    def index(self) -> int:
        """Its place in the labels."""
        return self.top[0].index

    @property
    def probability(self) -> float:
        """Its probability."""
        return self.top[0].probability


def check_logits(logits: object, classes: int) -> None:
    """Check that these are the logits (N, classes) of some pictures.

    Raises:
        UsageError: They are not.
    """
    if not isinstance(logits, np.ndarray) or logits.ndim != 2 or logits.shape[1] != classes:
        got = logits.shape if isinstance(logits, np.ndarray) else type(logits).__name__
        msg = f"logits must be an array (N, {classes}), as `run` gives; got {got}"
        raise UsageError(msg)


def softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Probabilities (N, classes) of logits (N, classes), in float64 and without overflow."""
    x = logits.astype(np.float64)
    x -= x.max(axis=1, keepdims=True)
    np.exp(x, out=x)
    x /= x.sum(axis=1, keepdims=True)
    return x


def best(logits: npt.NDArray[np.float32], labels: tuple[str, ...], top_k: int) -> Prediction:
    """Pick the `top_k` most probable of one picture's classes (classes,), or all.

    A network with a single label `x` has the answers `x`, where its logit is at least 0, and
    `not x`, whose index is 1.

    Logits decide, as probabilities of different classes may round to the same number; without
    probabilities (one NaN makes all of them NaN), classes are in order.
    """
    if len(labels) == 1:  # a threshold: its probability is sigmoid(logit), which softmax gives
        logits = np.append(logits, np.float32(0))
        labels = (*labels, f"not {labels[0]}")
    probabilities = softmax(logits[None])[0]
    keys = np.where(np.isnan(probabilities), 0, -logits)
    order = np.argsort(keys, kind="stable")[:top_k]
    return Prediction(tuple(Guess(labels[i], int(i), float(probabilities[i])) for i in order))


def as_record(name: str, prediction: Prediction) -> dict[str, Any]:
    """What JSON says about the picture of that name, of `bnas-run` and `bnas-serve`."""
    top = [
        {"label": guess.label, "index": guess.index, "probability": guess.probability}
        for guess in prediction.top
    ]
    return {"image": name, **top[0], "top": top}
