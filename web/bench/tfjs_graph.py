"""Writes an ONNX graph as a list of TensorFlow.js's operators.

Its own converters read TensorFlow's files only. Values have channels last, as TensorFlow.js wants
them.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper

__all__ = ["write_graph"]

AXES = {0: 0, 1: 3, 2: 1, 3: 2}
"""Where an axis of (N, C, H, W) is in (N, H, W, C)."""


def write_graph(model: bytes, place: Path) -> None:
    """Write `tfjs.json` (operators in order, sizes of the weights) and `tfjs.weights`.

    Args:
        model: An ONNX graph from "image" to "logits"; ONNX Runtime folds its constants first.
        place: An existing folder.

    Raises:
        KeyError: It has an operator that is not in the list.
    """
    graph = _folded(model).graph
    constants = {c.name: numpy_helper.to_array(c) for c in graph.initializer}
    weights: list[np.ndarray] = []
    nodes = [_node(node, constants, weights) for node in graph.node]
    shapes = [list(w.shape) for w in weights]
    (place / "tfjs.json").write_text(json.dumps({"nodes": nodes, "weights": shapes}))
    (place / "tfjs.weights").write_bytes(b"".join(w.astype("<f4").tobytes() for w in weights))


def _folded(model: bytes) -> onnx.ModelProto:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 3
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "folded.onnx")
        options.optimized_model_filepath = path
        ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        return onnx.load(path)


def _node(
    node: onnx.NodeProto, constants: dict[str, np.ndarray], weights: list[np.ndarray]
) -> dict[str, Any]:
    """An operator: its kind, values by name, weights by number, and what its kind needs."""
    facts = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    given = [constants[name] for name in node.input if name in constants]
    more = KINDS[node.op_type](facts, given)
    held = more.pop("held", [])
    numbers = list(range(len(weights), len(weights) + len(held)))
    weights += held
    inputs = [name for name in node.input if name and name not in constants]
    return {
        "kind": node.op_type,
        "inputs": inputs,
        "outputs": list(node.output),
        "weights": numbers,
        **more,
    }


def _channels_last(constant: np.ndarray) -> np.ndarray:
    """A constant that is added to (N, C, H, W), which may lack axes at the front."""
    shape = (1,) * (4 - constant.ndim) + constant.shape
    return constant.reshape(shape).transpose(0, 2, 3, 1)


def _conv(facts: dict[str, Any], given: list[np.ndarray]) -> dict[str, Any]:
    assert facts["group"] == 1
    held = [given[0].transpose(2, 3, 1, 0), *given[1:]]
    keys = {"stride": "strides", "pad": "pads", "dilation": "dilations"}
    return {"held": held, **{key: facts[name][0] for key, name in keys.items()}}


def _pool(facts: dict[str, Any], _: list[np.ndarray]) -> dict[str, Any]:
    assert facts["ceil_mode"] == 0
    keys = {"size": "kernel_shape", "stride": "strides", "pad": "pads"}
    return {key: facts[name][0] for key, name in keys.items()}


def _gemm(facts: dict[str, Any], given: list[np.ndarray]) -> dict[str, Any]:
    assert facts["transB"] == 1
    return {"held": [given[0].T, given[1]]}


KINDS = {
    "Add": lambda _, given: {"held": list(map(_channels_last, given))},
    "AveragePool": _pool,
    "BatchNormalization": lambda facts, given: {"held": given, "epsilon": facts["epsilon"]},
    "Concat": lambda facts, _: {"axis": AXES[facts["axis"]]},
    "Conv": _conv,
    "Flatten": lambda _, __: {},
    "Gemm": _gemm,
    "GlobalAveragePool": lambda _, __: {},
    "MaxPool": _pool,
    "Relu": lambda _, __: {},
    "Split": lambda facts, given: {"sizes": given[0].tolist(), "axis": AXES[facts["axis"]]},
}
