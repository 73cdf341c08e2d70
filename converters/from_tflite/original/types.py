"""The forms of what evaluates an operator, and of what runs a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.converters.from_tflite.file.model import Operator, TfliteModel
from bnas_deploy.converters.graph.nodes import Array

__all__ = ["Evaluator", "Floats", "Run"]

Floats = npt.NDArray[np.float32]

Evaluator = Callable[[TfliteModel, Operator, Any], Array | list[Array]]
"""Maps the arrays that an operator reads, None where one is left out, to what it makes."""

Run = Callable[[Sequence[Floats], Sequence[int]], list[list[Floats]]]
"""Takes batches of the model's own size, in its shape, and places of tensors.

It gives for each tensor its values, a batch each.
"""
