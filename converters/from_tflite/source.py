"""A TensorFlow Lite model as a `Source` to pack, and what it is checked against."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

import numpy as np
import tflite

from bnas_deploy import __version__
from bnas_deploy.converters.from_tflite.file.metadata import Described, described
from bnas_deploy.converters.from_tflite.file.read import read_tflite
from bnas_deploy.converters.from_tflite.operators.translate import Translation, translated
from bnas_deploy.converters.from_tflite.original.choose import original
from bnas_deploy.converters.from_tflite.original.fold import folded
from bnas_deploy.converters.from_tflite.original.inside import values_inside
from bnas_deploy.converters.operators.answer import without_answer
from bnas_deploy.converters.operators.graph import operator_graph
from bnas_deploy.converters.operators.places import inside_of
from bnas_deploy.converters.packing.model_file import ModelFile
from bnas_deploy.converters.packing.source import InputLayout, Source

__all__ = ["read"]

BYTE = 255
"""The scale of the metadata's numbers."""


def read(
    file: ModelFile,
    *,
    allow_float: bool = False,
    sign_zero: str = "auto",
    labels: tuple[str, ...] | None = None,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
    resize: int | None = None,
) -> Source:
    """Read a model.

    Args:
        file: The model.
        allow_float: Whether layers may stay in full precision.
        sign_zero: As for `operator_graph`.
        labels: One per class (default: those in the file).
        mean: Of each channel, on the scale 0 to 1 (default: as the metadata say, or 0).
        std: Of each channel (default: as the metadata say, or 1).
        resize: Pixels of a picture's shorter side (default: the input's).

    Raises:
        ConversionError: The file is damaged, or the model has obstacles; all are listed.
        UsageError: An argument is not one of its values.
    """
    model = folded(read_tflite(file))
    plain, left_out = without_answer(translated(model, file.name))
    found = operator_graph(plain, file.name, allow_float=allow_float, sign_zero=sign_zero)
    layout = InputLayout(plain.image, plain.dims, plain.channels_last)
    places = {tensor.name: place for place, tensor in enumerate(model.tensors)}
    wanted = places[plain.output]
    # By the names of the file's tensors: one operator may be several nodes.
    made = {
        node.outputs[0]: found.places[node.name]
        for node in plain.nodes
        if node.name in found.places and node.outputs[0] in places
    }
    source = Source(
        graph=found.graph,
        name=file.path.stem,
        parameters=_parameters(plain),
        original=replace(
            original(model, wanted, layout),
            inside=inside_of(made, values_inside(model, wanted, layout, places)),
        ),
        labels=labels,
        preprocessing=_pixels(about, plain, file.name),
        layout=layout,
        facts=_facts(file),
        reasons={layer.layer: layer.reason for layer in found.float_layers},
        sign_zero=sign_zero,
        layers=found.layers,
        warnings=found.warnings,
        notes=(*_notes(plain), *found.notes, *left_out),
    )
    return source.with_pixels(mean=mean, std=std, resize=resize)


def _parameters(model: Translation) -> int:
    """The weights, those in bits one by one; whole numbers are shapes and places."""
    return sum(array.size for array in model.constants.values() if array.dtype.kind == "f")


def _notes(model: Translation) -> tuple[str, ...]:
    if not model.bounded:
        return ()
    values = f"{model.bounded} value{'s' * (model.bounded > 1)}"
    return (f"{values} in 8 bits and more: in float32, without the rounding to steps",)


def _facts(file: ModelFile) -> Mapping[str, Any]:
    return {
        "source": dict(file.facts),
        "versions": {
            "bnas_deploy": __version__,
            "tflite": tflite.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
