"""A TensorFlow Lite model as a `Source` to pack, and what it is checked against."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import tflite

from bnas_deploy import __version__
from bnas_deploy.converters.from_tflite.file.metadata import Described, described
from bnas_deploy.converters.from_tflite.file.read import read_tflite
from bnas_deploy.converters.from_tflite.operators.translate import Translation, translated
from bnas_deploy.converters.from_tflite.original.choose import original
from bnas_deploy.converters.from_tflite.original.fold import folded
from bnas_deploy.converters.operators.answer import without_answer
from bnas_deploy.converters.operators.graph import operator_graph
from bnas_deploy.converters.packing.model_file import ModelFile
from bnas_deploy.converters.packing.source import InputLayout, Source, plain_preprocessing
from bnas_deploy.errors import ConversionError
from bnas_deploy.format import Preprocessing

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
    about = described(file.data, file.name)
    made = {node.name: node.outputs[0] for node in plain.nodes}
    values = {made[name]: flow for name, flow in found.places.items()}
    source = Source(
        graph=found.graph,
        name=file.path.stem,
        parameters=_parameters(plain),
        original=original(model, places[plain.output], layout, values),
        labels=labels,
        preprocessing=_pixels(about, plain, file.name),
        layout=layout,
        facts=_facts(file),
        reasons={layer.layer: layer.reason for layer in found.float_layers},
        notes=(*_notes(plain), *found.notes, *left_out),
        sign_zero=sign_zero,
        layers=found.layers,
        warnings=found.warnings,
    )
    source = source if labels is not None else _labelled(source, about)
    return source.with_pixels(mean=mean, std=std, resize=resize)


def _labelled(source: Source, about: Described) -> Source:
    """The source with the labels of the file, if there are as many as classes."""
    if about.labels is None or len(about.labels) == source.classes:
        return replace(source, labels=about.labels)
    count = f"{len(about.labels):,} lines for {source.classes:,} classes"
    note = f"labels of {about.file}: left out, as it has {count}; --labels names them"
    return replace(source, notes=(*source.notes, note))


def _pixels(about: Described, model: Translation, name: str) -> Preprocessing | None:
    """How pictures become inputs, if the file says so; one number stands for all channels."""
    if not about.std or len(model.dims) == 1:
        return None
    plain, channels = plain_preprocessing(model.image), model.image[0]
    fits = {len(about.mean), len(about.std)} <= {1, channels} and min(about.std) > 0
    if not fits:
        stated = f"mean {list(about.mean)[:4]} and std {list(about.std)[:4]}"
        msg = f"{name}: its metadata normalise by {stated}; expected one number, or {channels}"
        raise ConversionError(msg)
    mean, std = (
        tuple(value / BYTE for value in (stated * channels if len(stated) == 1 else stated))
        for stated in (about.mean, about.std)
    )
    return Preprocessing(plain.resize, plain.crop, mean, std)


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
