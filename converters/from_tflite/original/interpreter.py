"""Runs a model with the interpreter that it was written for, where that is installed."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite

from bnas_deploy.converters.from_tflite.file.model import TfliteModel
from bnas_deploy.errors import ConversionError

__all__ = ["Runner", "interpreter"]

Runner = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]
"""Maps one batch of the model's own size, in its shape, to its output."""

LARQ = ("larq_compute_engine.tflite.python.interpreter", "larq's Compute Engine")
PLAIN = (
    ("ai_edge_litert.interpreter", "LiteRT"),
    ("tensorflow.lite", "TensorFlow Lite"),
)


def interpreter(model: TfliteModel, wanted: int) -> tuple[Runner, str] | None:
    """Return what runs a model up to a value, and its name; None where nothing is installed.

    Args:
        model: As it was read.
        wanted: Place of the value.
    """
    larq = any(operator.op.startswith("Lce") for operator in model.operators)
    for module, name in (LARQ,) if larq else PLAIN:
        try:
            found = import_module(module)
        except ImportError:
            continue
        make = _larq if larq else _plain
        return _guarded(make(found, _ending_at(model, wanted)), name), name
    return None


def _ending_at(model: TfliteModel, wanted: int) -> bytes:
    """The file with another output."""
    data = bytearray(model.data)
    graph = tflite.Model.GetRootAs(data, 0).Subgraphs(0)
    graph.OutputsAsNumpy()[0] = wanted
    return bytes(data)


def _larq(module: Any, data: bytes) -> Runner:  # noqa: ANN401
    made = module.Interpreter(data, num_threads=1)
    return lambda batch: np.asarray(made.predict(batch))


def _plain(module: Any, data: bytes) -> Runner:  # noqa: ANN401
    made = module.Interpreter(model_content=data, num_threads=1)
    made.allocate_tensors()
    start, end = made.get_input_details()[0]["index"], made.get_output_details()[0]["index"]

    def run(batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        made.set_tensor(start, batch)
        made.invoke()
        return np.asarray(made.get_tensor(end), np.float32)

    return run


def _guarded(run: Runner, name: str) -> Runner:
    def guarded(batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        try:
            return run(batch)
        except (RuntimeError, ValueError) as error:
            first = str(error).strip().partition("\n")[0][:300]
            msg = f"{name} does not run this model: {first}"
            raise ConversionError(msg) from error

    return guarded
