"""What a conversion is compared with: the model's interpreter, or the model in NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from bnas_deploy.converters.from_tflite.file.model import TfliteModel
from bnas_deploy.converters.from_tflite.original.evaluate import evaluated
from bnas_deploy.converters.from_tflite.original.interpreter import interpreter
from bnas_deploy.converters.from_tflite.original.types import Floats, Run
from bnas_deploy.converters.operators.graph import MISFITS
from bnas_deploy.converters.operators.places import inside_of
from bnas_deploy.converters.packing.source import InputLayout, Original
from bnas_deploy.converters.signs.flow import Flow
from bnas_deploy.errors import ConversionError

__all__ = ["NUMPY", "original"]

NUMPY = "the model in NumPy"


def original(
    model: TfliteModel, wanted: int, layout: InputLayout, found: Mapping[str, Flow]
) -> Original:
    """Return what computes the logits of a model.

    Args:
        model: As it was read.
        wanted: Place of its logits.
        layout: Of its inputs.
        found: Where in the graph the values of tensors lie, by the tensors' names.
    """
    floats = not model.rounds and model.tensors[model.input].kind == "FLOAT32"
    installed = interpreter(model) if floats else None
    run, name = installed or (partial(_evaluated, model), NUMPY)
    batches = partial(_in_batches, run, model.tensors[model.input].shape[0], layout)
    places = {
        operator.name: operator.outputs[0]
        for operator in model.operators
        if operator.outputs and model.tensors[operator.outputs[0]].name in found
    }
    flows = {layer: found[model.tensors[place].name] for layer, place in places.items()}
    return Original(
        lambda images: batches(images, [wanted])[0],
        name,
        inside_of(flows, partial(_inside, batches, places)),
    )


def _evaluated(
    model: TfliteModel, batches: Sequence[Floats], wanted: Sequence[int]
) -> list[list[Floats]]:
    try:
        each = [evaluated(model, batch, wanted) for batch in batches]
        return [[np.asarray(x, np.float32) for x in parts] for parts in zip(*each, strict=True)]
    except MISFITS as error:
        msg = f"the model cannot be computed in NumPy as it stands: {error}; is it damaged?"
        raise ConversionError(msg) from error


def _in_batches(
    run: Run, size: int, layout: InputLayout, images: Floats, wanted: Sequence[int]
) -> list[Floats]:
    """Values (N, elements) of inputs (N, C, H, W), in batches of the model's own size."""
    inputs = layout.as_taken(images)
    whole = np.concatenate([inputs, np.repeat(inputs[-1:], -len(inputs) % size, axis=0)])
    batches = [whole[start : start + size] for start in range(0, len(whole), size)]
    return [
        np.concatenate([part.reshape(size, -1) for part in parts])[: len(images)]
        for parts in run(batches, wanted)
    ]


def _inside(
    batches: partial[list[Floats]], places: Mapping[str, int], images: Floats, names: Sequence[str]
) -> dict[str, Floats]:
    """What operators make, by their names."""
    wanted = [places[name] for name in names]
    return dict(zip(names, batches(images, wanted), strict=True))
