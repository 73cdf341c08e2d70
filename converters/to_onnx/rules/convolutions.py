"""Convolutions and linear layers as ONNX operators: float, binary with their stages, 8 bits.

Shapes: C channels in, O channels out, kh kw the kernel.
"""

from __future__ import annotations

import numpy as np

from bnas_deploy.converters.graph.nodes import Array, Node
from bnas_deploy.converters.graph.ops import Stage, groups_of
from bnas_deploy.converters.to_onnx.rules.windows import window
from bnas_deploy.converters.to_onnx.writer import OnnxWriter, Rule, column

__all__ = ["CONVOLUTION_RULES"]


def _weights(writer: OnnxWriter, node: Node, *names: str) -> list[str]:
    return [
        writer.constant(f"{node.name}.{key}", node.constants[key].astype(np.float32))
        for key in names
        if key in node.constants
    ]


def _groups(writer: OnnxWriter, node: Node) -> dict[str, int]:
    """The attribute of a convolution in groups."""
    groups = groups_of(node, writer.channels(node.inputs[0]))
    return {"group": groups} if groups > 1 else {}


def _conv(writer: OnnxWriter, node: Node) -> None:
    activation = node.attributes["activation"]
    inputs = [node.inputs[0], *_weights(writer, node, "weight", "bias")]
    result = writer.activated(activation, node.output)
    writer.add("Conv", inputs, result, **window(node), **_groups(writer, node))
    writer.activate(activation, node.output)


def _linear(writer: OnnxWriter, node: Node) -> None:
    flat = writer.add("Flatten", [node.inputs[0]], f"{node.output}.flat", axis=1)
    inputs = [flat, *_weights(writer, node, "weight", "bias")]
    result = writer.add("Gemm", inputs, f"{node.output}.gemm", transB=1)
    shape = writer.constant("shape.pixel", np.array([0, -1, 1, 1], np.int64))
    writer.add("Reshape", [result, shape], node.output)


def _dots(writer: OnnxWriter, node: Node) -> str:
    """The dot products of a binary convolution."""
    inputs = [node.inputs[0], *_weights(writer, node, "weight")]
    dot = f"{node.outputs[0]}.dot"
    writer.add("Conv", inputs, dot, **window(node), **_groups(writer, node))
    if "fold" not in node.constants:
        return dot
    constant = writer.constant(f"{dot}.fold", _folded(node, writer.shapes[node.inputs[0]][1:]))
    return writer.add("Add", [dot, constant], f"{dot}.folded")


def _folded(node: Node, size: tuple[int, int]) -> Array:
    """What the taps inside the image add to each pixel's dot product, (1, O, H', W')."""
    fold = node.constants["fold"]
    top, left, bottom, right = node.attributes["padding"]
    inside = np.pad(np.ones(size), ((top, bottom), (left, right)))
    (kh, kw), (dy, dx) = fold.shape[1:], node.attributes["dilation"]
    sy, sx = node.attributes["stride"]
    rows = (inside.shape[0] - dy * (kh - 1) - 1) // sy + 1
    cols = (inside.shape[1] - dx * (kw - 1) - 1) // sx + 1
    total = np.zeros((len(fold), rows, cols))
    for ky, kx in np.ndindex(kh, kw):
        taken = inside[
            ky * dy : ky * dy + (rows - 1) * sy + 1 : sy,
            kx * dx : kx * dx + (cols - 1) * sx + 1 : sx,
        ]
        total += fold[:, ky, kx][:, None, None] * taken
    return total[None].astype(np.float32)


def _binary_conv(writer: OnnxWriter, node: Node) -> None:
    activation, dot = node.attributes["activation"], _dots(writer, node)
    scale = writer.constant(f"{node.name}.scale", column(node.constants["scale"]))
    writer.add("Mul", [dot, scale], writer.activated(activation, node.output))
    writer.activate(activation, node.output)


def _packed(writer: OnnxWriter, node: Node) -> None:
    dot = _dots(writer, node)
    for output, stage in zip(node.outputs, node.attributes["stages"], strict=True):
        if stage.kind == "threshold":
            threshold, flip = (node.constants[f"{output}.{key}"] for key in ("threshold", "flip"))
            writer.compared(dot, threshold, flip, output)
        else:
            _float_stage(writer, node, dot, output, stage)


def _float_stage(writer: OnnxWriter, node: Node, dot: str, output: str, stage: Stage) -> None:
    def term(key: str) -> str:
        return writer.constant(f"{output}.{key}", column(node.constants[f"{output}.{key}"]))

    result = output if stage.addend is None else f"{output}.own"
    product = writer.activated(stage.activation, result)
    if stage.kind == "affine":
        scaled = writer.add("Mul", [dot, term("scale")], f"{result}.scaled")
        writer.add("Add", [scaled, term("shift")], product)
    else:
        writer.add("Mul", [dot, term("scale")], product)
    writer.activate(stage.activation, result)
    if stage.addend is not None:
        count = len(node.constants["weight"])
        writer.added_at(node.inputs[stage.addend], result, stage.at, count, output)


def _quantized(writer: OnnxWriter, node: Node) -> None:
    """8 bits: the inputs become whole numbers 0 to 127, zeros around the image too."""
    x, output = node.inputs[0], node.output
    top, left, bottom, right = node.attributes["padding"]
    if any(node.attributes["padding"]):
        pads = np.array([0, 0, top, left, 0, 0, bottom, right], np.int64)
        x = writer.add("Pad", [x, writer.constant(f"{output}.pads", pads)], f"{output}.padded")
    scale, zero, unit = (
        writer.constant(f"{node.name}.{key}", column(node.constants[key]))
        for key in ("input_scale", "input_zero", "scale")
    )
    x = writer.add("Mul", [x, scale], f"{output}.steps")
    x = writer.add("Add", [x, zero], f"{output}.shifted")
    x = writer.add("Clip", [x, writer.number(0), writer.number(127)], f"{output}.clipped")
    x = writer.add("Round", [x], f"{output}.whole")
    inputs = [x, *_weights(writer, node, "weight", "offset")]
    total = writer.add("Conv", inputs, f"{output}.sum", **{**window(node), "pads": [0, 0, 0, 0]})
    activation = node.attributes["activation"]
    writer.add("Mul", [total, unit], writer.activated(activation, output))
    writer.activate(activation, output)


CONVOLUTION_RULES: dict[str, Rule] = {
    "binary_conv": _binary_conv,
    "binary_depthwise": _binary_conv,
    "conv": _conv,
    "linear": _linear,
    "packed_conv": _packed,
    "packed_depthwise": _packed,
    "quantized_conv2d": _quantized,
}
