"""Operations of one element at a time, and constants, as ONNX operators."""

from __future__ import annotations

import numpy as np

from bnas_deploy.converters.graph.nodes import Node
from bnas_deploy.converters.to_onnx.writer import OnnxWriter, Rule, column, plain

__all__ = ["ELEMENTWISE_RULES"]


def _batch_norm(writer: OnnxWriter, node: Node) -> None:
    constants = [
        writer.constant(f"{node.name}.{key}", node.constants[key].astype(np.float32))
        for key in ("weight", "bias", "mean", "var")
    ]
    eps = float(node.attributes["eps"])
    writer.add("BatchNormalization", [node.inputs[0], *constants], node.output, epsilon=eps)


def _affine(writer: OnnxWriter, node: Node) -> None:
    scale, shift = (
        writer.constant(f"{node.name}.{key}", column(node.constants[key]))
        for key in ("scale", "shift")
    )
    product = writer.add("Mul", [node.inputs[0], scale], f"{node.output}.product")
    writer.add("Add", [product, shift], node.output)


def _sign(writer: OnnxWriter, node: Node) -> None:
    above = writer.add("GreaterOrEqual", [node.inputs[0], writer.number(0)], f"{node.output}.above")
    writer.signs(above, node.output)


def _binarize(writer: OnnxWriter, node: Node) -> None:
    threshold, flip = node.constants["threshold"], node.constants["flip"]
    writer.compared(node.inputs[0], threshold, flip, node.output)


def _prelu(writer: OnnxWriter, node: Node) -> None:
    slope = node.constants["slope"].astype(np.float32).reshape(-1, 1, 1)
    writer.add("PRelu", [node.inputs[0], writer.constant(f"{node.name}.slope", slope)], node.output)


def _clip(writer: OnnxWriter, node: Node) -> None:
    low, high = (node.constants[key] for key in ("low", "high"))
    writer.clipped(node.inputs[0], low, high, node.output)


def _hard_sigmoid(writer: OnnxWriter, node: Node) -> None:
    alpha, beta = map(float, node.constants["terms"])
    writer.add("HardSigmoid", node.inputs, node.output, alpha=alpha, beta=beta)


def _constant(writer: OnnxWriter, node: Node) -> None:
    value = node.constants["value"].astype(np.float32)[None]
    if node.output in writer.broadcast:
        writer.constant(node.output, value)
    else:
        writer.repeated(writer.constant(f"{node.name}.value", value), node.output)


def _zero(writer: OnnxWriter, node: Node) -> None:
    none = writer.constant("none", np.zeros((1, 1, 1, 1), np.float32))
    writer.repeated(none, node.output, tuple(node.attributes["shape"]))


ELEMENTWISE_RULES: dict[str, Rule] = {
    "add": plain("Add"),
    "affine": _affine,
    "batch_norm": _batch_norm,
    "binarize": _binarize,
    "clip": _clip,
    "constant": _constant,
    "hard_sigmoid": _hard_sigmoid,
    "multiply": plain("Mul"),
    "prelu": _prelu,
    "relu": plain("Relu"),
    "sigmoid": plain("Sigmoid"),
    "sign": _sign,
    "zero": _zero,
}
