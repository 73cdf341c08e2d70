"""The form of what evaluates an operator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bnas_deploy.converters.from_tflite.file.model import Operator, TfliteModel
from bnas_deploy.converters.graph.nodes import Array

__all__ = ["Evaluator"]

Evaluator = Callable[[TfliteModel, Operator, Any], Array | list[Array]]
"""Maps the arrays that an operator reads, None where one is left out, to what it makes."""
