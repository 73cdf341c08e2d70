"""What a conversion is compared with: the model's interpreter, or the model in NumPy."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from bnas_deploy.converters.from_tflite.file.model import TfliteModel
from bnas_deploy.converters.from_tflite.original.evaluate import evaluated
from bnas_deploy.converters.from_tflite.original.interpreter import Runner, interpreter
from bnas_deploy.converters.operators.graph import MISFITS
from bnas_deploy.converters.packing.source import InputLayout, Original
from bnas_deploy.errors import ConversionError

__all__ = ["NUMPY", "original"]

NUMPY = "the model in NumPy"


def original(model: TfliteModel, wanted: int, layout: InputLayout) -> Original:
    """Return what computes the logits of a model.

    Args:
        model: As it was read.
        wanted: Place of its logits.
        layout: Of its inputs.
    """
    found = None if model.rounds else interpreter(model, wanted)
    run, name = found or (partial(_evaluated, model, wanted), NUMPY)
    batch = model.tensors[model.input].shape[0]
    return Original(partial(_logits, run, batch, layout), name)


def _evaluated(
    model: TfliteModel, wanted: int, batch: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    try:
        return np.asarray(evaluated(model, batch, wanted), np.float32)
    except MISFITS as error:
        msg = f"the model cannot be computed in NumPy as it stands: {error}; is it damaged?"
        raise ConversionError(msg) from error


def _logits(
    run: Runner, batch: int, layout: InputLayout, images: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    inputs, found = layout.as_taken(images), []
    for start in range(0, len(inputs), batch):
        part = inputs[start : start + batch]
        whole = np.concatenate([part, np.repeat(part[-1:], batch - len(part), axis=0)])
        found.append(run(whole).reshape(batch, -1)[: len(part)])
    return np.concatenate(found)
