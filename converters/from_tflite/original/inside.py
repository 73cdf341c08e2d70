"""The values inside a model, computed in NumPy, also where an interpreter gives its logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from bnas_deploy.converters.from_tflite.file.model import TfliteModel
from bnas_deploy.converters.from_tflite.original.evaluate import all_evaluated
from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.places import RunInside
from bnas_deploy.converters.packing.source import InputLayout

__all__ = ["values_inside"]

Floats = npt.NDArray[np.float32]


def values_inside(
    model: TfliteModel, wanted: int, layout: InputLayout, places: Mapping[str, int]
) -> RunInside:
    """Return what runs a model up to its logits and gives the tensors on the way.

    Args:
        model: As it was read.
        wanted: Place of its logits.
        layout: Of its inputs.
        places: Of tensors, by their names.
    """
    return partial(_values, model, wanted, layout, places)


def _values(
    model: TfliteModel,
    wanted: int,
    layout: InputLayout,
    places: Mapping[str, int],
    images: Floats,
    names: Sequence[str],
) -> dict[str, Array]:
    batch = model.tensors[model.input].shape[0]
    inputs, parts = layout.as_taken(images), []
    for start in range(0, len(inputs), batch):
        part = inputs[start : start + batch]
        whole = np.concatenate([part, np.repeat(part[-1:], batch - len(part), axis=0)])
        made = all_evaluated(model, whole, wanted)
        known = {name: made[places[name]] for name in names if places.get(name) in made}
        parts.append({name: value[: len(part)] for name, value in known.items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
