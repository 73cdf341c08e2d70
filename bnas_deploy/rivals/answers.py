"""How far answers are from the right ones.

Shapes: logits are (N, classes).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Floats", "Run", "correlation", "difference"]

Floats: TypeAlias = npt.NDArray[np.float32]
Run: TypeAlias = Callable[[Floats], Floats]
"""From images (N, C, H, W) to logits."""


def difference(answer: Floats, right: Floats) -> float:
    """Return how far an answer is off the right one, as a share of the largest logit."""
    return float(np.abs(answer - right).max() / np.abs(right).max())


def correlation(answers: Floats, right: Floats) -> float:
    """Return the correlation coefficient of all logits with the right ones."""
    return float(np.corrcoef(answers.ravel(), right.ravel())[0, 1])
