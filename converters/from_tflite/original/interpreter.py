"""Runs a model with the interpreter that it was written for, where that is installed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np
import tflite

from bnas_deploy.converters.from_tflite.file.model import TfliteModel
from bnas_deploy.converters.from_tflite.original.types import Floats, Run
from bnas_deploy.errors import ConversionError

__all__ = ["interpreter"]

Make = Callable[[Any, bytes], Callable[[Floats], Floats]]

LARQ = ("larq_compute_engine.tflite.python.interpreter", "larq's Compute Engine")
PLAIN = (
    ("ai_edge_litert.interpreter", "LiteRT"),
    ("tensorflow.lite", "TensorFlow Lite"),
)


def interpreter(model: TfliteModel) -> tuple[Run, str] | None:
    """Return what runs a model up to some values, and its name; None where none is installed.

    Args:
        model: As it was read.
    """
    larq = any(operator.op.startswith("Lce") for operator in model.operators)
    for module, name in (LARQ,) if larq else PLAIN:
        try:
            found = import_module(module)
        except ImportError:
            continue
        return _run(model, found, _larq if larq else _plain, name), name
    return None


def _run(model: TfliteModel, module: Any, make: Make, name: str) -> Run:  # noqa: ANN401
    """One interpreter for each value, as it tells its outputs alone; the last one is kept."""

    @lru_cache(maxsize=1)
    def made(place: int) -> Callable[[Floats], Floats]:
        return make(module, _ending_at(model, place))

    def run(batches: Sequence[Floats], wanted: Sequence[int]) -> list[list[Floats]]:
        try:
            return [[made(place)(batch) for batch in batches] for place in wanted]
        except (RuntimeError, ValueError) as error:
            first = str(error).strip().partition("\n")[0][:300]
            msg = f"{name} does not run this model: {first}"
            raise ConversionError(msg) from error

    return run


def _ending_at(model: TfliteModel, wanted: int) -> bytes:
    """The file with another output."""
    data = bytearray(model.data)
    graph = tflite.Model.GetRootAs(data, 0).Subgraphs(0)
    graph.OutputsAsNumpy()[0] = wanted
    return bytes(data)


def _larq(module: Any, data: bytes) -> Callable[[Floats], Floats]:  # noqa: ANN401
    made = module.Interpreter(data, num_threads=1)
    return lambda batch: np.asarray(made.predict(batch), np.float32)


def _plain(module: Any, data: bytes) -> Callable[[Floats], Floats]:  # noqa: ANN401
    made = module.Interpreter(model_content=data, num_threads=1)
    made.allocate_tensors()
    start, end = made.get_input_details()[0]["index"], made.get_output_details()[0]["index"]

    def run(batch: Floats) -> Floats:
        made.set_tensor(start, batch)
        made.invoke()
        return np.asarray(made.get_tensor(end), np.float32)

    return run
