"""A module, or a saved program of torch.export, as a `Source` to pack."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from bnas_deploy import __version__
from bnas_deploy.converters.from_program.export import Program, loaded_program
from bnas_deploy.converters.from_program.original import PYTORCH, module_logits, program_values
from bnas_deploy.converters.from_program.read import ProgramModel, read_program
from bnas_deploy.converters.operators.answer import without_answer
from bnas_deploy.converters.operators.graph import operator_graph
from bnas_deploy.converters.operators.places import inside_of
from bnas_deploy.converters.packing.model_file import ModelFile
from bnas_deploy.converters.packing.source import InputLayout, Original, Source
from bnas_deploy.format import Preprocessing

__all__ = ["program_source", "read"]

Floats = npt.NDArray[np.float32]


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
    """Read a file of torch.export.save.

    Args:
        file: The file.
        allow_float: As for `program_source`.
        sign_zero: As for `program_source`.
        labels: As for `program_source`.
        mean: Of each channel, on the scale 0 to 1 (default: 0).
        std: Of each channel (default: 1).
        resize: Pixels of a picture's shorter side (default: the input's).

    Raises:
        ConversionError: The file is damaged, or the model has obstacles; all are listed.
        UsageError: An argument is not one of its values.
    """
    source = program_source(
        loaded_program(file),
        allow_float=allow_float,
        sign_zero=sign_zero,
        labels=labels,
        facts=file.facts,
    )
    return source.with_pixels(mean=mean, std=std, resize=resize)


def program_source(
    program: Program,
    *,
    allow_float: bool = False,
    sign_zero: str = "auto",
    labels: tuple[str, ...] | None = None,
    preprocessing: Preprocessing | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Source:
    """Return the source of a program.

    Args:
        program: From `export`.
        allow_float: Whether layers may stay in full precision.
        sign_zero: As for `operator_graph`.
        labels: One per class (default: `class 0` and so on).
        preprocessing: How pictures become inputs (default: nobody says).
        facts: What the file says that the model was made from.

    Raises:
        ConversionError: The model has obstacles; all are listed.
        UsageError: `sign_zero` is something else.
    """
    model, left_out = without_answer(read_program(program))
    found = operator_graph(model, program.name, allow_float=allow_float, sign_zero=sign_zero)
    layout = InputLayout(model.image, model.dims, model.channels_last)
    return Source(
        graph=found.graph,
        name=program.name,
        parameters=program.parameters,
        original=Original(
            partial(_logits, model, layout, cut=bool(left_out)),
            PYTORCH,
            inside_of(found.places, partial(_inside, model, layout)),
        ),
        labels=labels,
        preprocessing=preprocessing,
        layout=layout,
        facts={"source": dict(facts or {"module": program.name}), "versions": _versions()},
        reasons={layer.layer: layer.reason for layer in found.float_layers},
        sign_zero=sign_zero,
        layers=found.layers,
        warnings=found.warnings,
        notes=(*model.notes, *found.notes, *left_out),
    )


def _logits(model: ProgramModel, layout: InputLayout, images: Floats, *, cut: bool) -> Floats:
    inputs = layout.as_taken(images)
    if not cut:
        return module_logits(model.program, inputs)
    logits = {model.output: model.places[model.output]}
    return program_values(model.program, inputs, logits)[model.output]


def _inside(
    model: ProgramModel, layout: InputLayout, images: Floats, names: Sequence[str]
) -> dict[str, Floats]:
    """What nodes make, by their names."""
    outputs = {node.name: node.outputs[0] for node in model.nodes}
    known = ((name, model.places.get(outputs[name])) for name in names)
    wanted = {name: place for name, place in known if place is not None}
    return program_values(model.program, layout.as_taken(images), wanted)


def _versions() -> dict[str, str]:
    return {
        "bnas_deploy": __version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
