"""An ONNX model of any tool as a `Source` to pack; ONNX Runtime is what it is checked against."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto

from bnas_deploy import __version__
from bnas_deploy.converters.from_onnx.logits import onnx_logits, onnx_values
from bnas_deploy.converters.from_onnx.metadata import stored_labels, stored_preprocessing
from bnas_deploy.converters.from_onnx.read import OnnxFile, read_onnx
from bnas_deploy.converters.operators.answer import without_answer
from bnas_deploy.converters.operators.graph import operator_graph
from bnas_deploy.converters.operators.places import inside_of
from bnas_deploy.converters.packing.model_file import ModelFile
from bnas_deploy.converters.packing.source import InputLayout, Original, Source
from bnas_deploy.format import Preprocessing

__all__ = ["ONNX_RUNTIME", "onnx_source", "read"]

ONNX_RUNTIME = "ONNX Runtime"


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
        file: The model; external data lies beside it.
        allow_float: As for `onnx_source`.
        sign_zero: As for `onnx_source`.
        labels: As for `onnx_source`.
        mean: Of each channel, on the scale 0 to 1 (default: as the metadata say, or 0).
        std: Of each channel (default: as the metadata say, or 1).
        resize: Pixels of a picture's shorter side (default: as the metadata say, or the input's).

    Raises:
        ConversionError: The file is damaged, or the model has obstacles; all are listed.
        UsageError: An argument is not one of its values.
    """
    source = onnx_source(file, allow_float=allow_float, sign_zero=sign_zero, labels=labels)
    return source.with_pixels(mean=mean, std=std, resize=resize)


def onnx_source(
    file: ModelFile,
    *,
    allow_float: bool = False,
    sign_zero: str = "auto",
    labels: tuple[str, ...] | None = None,
    preprocessing: Preprocessing | None = None,
) -> Source:
    """Return the source of a model.

    Args:
        file: The model; external data lies beside it.
        allow_float: Whether layers may stay in full precision.
        sign_zero: As for `operator_graph`.
        labels: One per class (default: those in the model's metadata).
        preprocessing: How pictures become inputs (default: as the metadata say).

    Raises:
        ConversionError: The file is damaged, or the model has obstacles; all are listed.
        UsageError: An argument is not one of its values.
    """
    model, left_out = without_answer(read_onnx(file))
    if left_out:
        model = replace(model, proto=_ending_at(model.proto, model.output))
    found = operator_graph(model, file.name, allow_float=allow_float, sign_zero=sign_zero)
    layout = InputLayout(model.image, model.dims, model.channels_last)
    return Source(
        graph=found.graph,
        name=file.path.stem,
        file_bytes=model.size,
        parameters=sum(array.size for array in model.constants.values()),
        original=Original(
            partial(_logits, model, layout),
            ONNX_RUNTIME,
            inside_of(found.places, partial(_inside, model, layout)),
        ),
        labels=stored_labels(model.proto) if labels is None else labels,
        preprocessing=preprocessing or stored_preprocessing(model.proto),
        layout=layout,
        facts=_facts(file, model),
        reasons={layer.layer: layer.reason for layer in found.float_layers},
        clips=frozenset(model.clips),
        sign_zero=sign_zero,
        layers=found.layers,
        warnings=found.warnings,
        notes=(*model.notes, *found.notes, *left_out),
    )


def _logits(
    model: OnnxFile, layout: InputLayout, images: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    return onnx_logits(model.proto, layout.as_taken(images), batch=model.batch)


def _inside(
    model: OnnxFile, layout: InputLayout, images: npt.NDArray[np.float32], names: Sequence[str]
) -> dict[str, npt.NDArray[np.generic]]:
    """What nodes make, by their names."""
    outputs = {node.name: node.outputs[0] for node in model.nodes}
    inputs = layout.as_taken(images)
    found = onnx_values(model.proto, inputs, [outputs[name] for name in names], batch=model.batch)
    return {name: found[outputs[name]] for name in names if outputs[name] in found}


def _ending_at(proto: onnx.ModelProto, output: str) -> onnx.ModelProto:
    """A copy whose output is the given value."""
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    del copy.graph.output[:]
    copy.graph.output.append(onnx.helper.make_tensor_value_info(output, TensorProto.FLOAT, None))
    return copy


def _facts(file: ModelFile, model: OnnxFile) -> Mapping[str, Any]:
    return {
        "source": {**file.facts, "opset": model.opset},
        "versions": {
            "bnas_deploy": __version__,
            "onnx": onnx.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
