"""Models in float16 and bfloat16, in float32: weights, casts, inputs and outputs."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

__all__ = ["in_float32"]

HALVES: dict[int, str] = {TensorProto.FLOAT16: "float16", TensorProto.BFLOAT16: "bfloat16"}


def in_float32(proto: onnx.ModelProto) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """Return a model without half precision, and the names of the types it had.

    Args:
        proto: Not changed; returned where there is nothing to change.
    """
    found: set[str] = set()
    model = onnx.ModelProto()
    model.CopyFrom(proto)
    graph = model.graph
    for tensor in graph.initializer:
        _tensor(tensor, found)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                _tensor(attribute.t, found)
            elif node.op_type == "Cast" and attribute.name == "to" and attribute.i in HALVES:
                found.add(HALVES[attribute.i])
                attribute.i = TensorProto.FLOAT
    for value in (*graph.input, *graph.output):
        kind = value.type.tensor_type
        if kind.elem_type in HALVES:
            found.add(HALVES[kind.elem_type])
            kind.elem_type = TensorProto.FLOAT
    if not found:
        return proto, ()
    del graph.value_info[:]
    return model, tuple(sorted(found))


def _tensor(tensor: TensorProto, found: set[str]) -> None:
    if tensor.data_type in HALVES:
        found.add(HALVES[tensor.data_type])
        array = numpy_helper.to_array(tensor).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
