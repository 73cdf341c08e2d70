"""A packed program as an ONNX model, step by step; the meaning is that of docs/format.md.

ONNX Runtime sums in another order, so that floats differ by roundings; integers are the same.
"""

from __future__ import annotations

import onnx

from bnas_deploy.converters.packing.lift import lift
from bnas_deploy.converters.to_onnx.nodes import nodes_to_onnx
from bnas_deploy.converters.to_onnx.writer import metadata_of
from bnas_deploy.format import PackedModel

__all__ = ["program_to_onnx"]


def program_to_onnx(model: PackedModel) -> onnx.ModelProto:
    """Return the model that computes what a packed model computes.

    Raises:
        ConversionError: A step has no rule.
    """
    program = model.program
    shapes = {name: value.shape for name, value in program.values.items()}
    metadata = metadata_of(model.labels, model.preprocessing)
    return nodes_to_onnx(lift(model), shapes, program.input, program.output, metadata)
