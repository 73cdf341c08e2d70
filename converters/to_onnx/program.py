"""A packed program as an ONNX model, step by step; the meaning is that of docs/format.md.

ONNX Runtime sums in another order, so that floats differ by roundings; integers are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx

from bnas_deploy.bits import unpack_rows
from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.to_onnx.writer import OnnxWriter, column, metadata_of
from bnas_deploy.errors import ConversionError
from bnas_deploy.format import PackedModel

__all__ = ["program_to_onnx"]


def program_to_onnx(model: PackedModel) -> onnx.ModelProto:
    """Return the model that computes what a packed model computes.

    Raises:
        ConversionError: A step of a newer format is not known here.
    """
    program, writer = model.program, OnnxWriter()
    for step in program.steps:
        if step.OP not in _RULES:
            msg = f"the step {step.OP} is not written as ONNX"
            raise ConversionError(msg)
        _RULES[step.OP](writer, model, step)
    logits = writer.add("Flatten", [program.output], f"{program.output}.logits", axis=1)
    image = program.input, program.values[program.input].shape
    metadata = metadata_of(model.labels, model.preprocessing)
    return writer.model(image, (logits, len(model.labels)), metadata=metadata)


def _floats(model: PackedModel, name: str) -> Array:
    return np.asarray(model.tensors[name], np.float32)


def _bits(model: PackedModel, name: str, count: int) -> Array:
    """Rows of `count` bits."""
    words = np.atleast_2d(np.asarray(model.tensors[name], np.uint64))
    rows: Array = unpack_rows(words, count)
    return rows


def _shape(model: PackedModel, value: str) -> tuple[int, int, int]:
    return model.program.values[value].shape


def _window(step: Any) -> dict[str, Any]:  # noqa: ANN401
    attributes: dict[str, Any] = {"strides": list(step.stride), "pads": list(step.padding)}
    if step.dilation != (1, 1):
        attributes["dilations"] = list(step.dilation)
    return attributes


def _weights(writer: OnnxWriter, model: PackedModel, step: Any) -> list[str]:  # noqa: ANN401
    names = [step.weight] if step.bias is None else [step.weight, step.bias]
    return [writer.constant(f"tensor.{name}", _floats(model, name)) for name in names]


def _conv(writer: OnnxWriter, model: PackedModel, step: Any) -> None:  # noqa: ANN401
    inputs = [step.input, *_weights(writer, model, step)]
    groups = {"group": step.groups} if hasattr(step, "groups") else {}
    result = writer.activated(step.activation, step.output)
    writer.add("Conv", inputs, result, **_window(step), **groups)
    writer.activate(step.activation, step.output)


def _linear(writer: OnnxWriter, model: PackedModel, step: Any) -> None:  # noqa: ANN401
    flat = writer.add("Flatten", [step.input], f"{step.output}.flat", axis=1)
    inputs = [flat, *_weights(writer, model, step)]
    result = writer.add("Gemm", inputs, f"{step.output}.gemm", transB=1)
    shape = writer.constant("shape.image", np.array([0, -1, 1, 1], np.int64))
    writer.add("Reshape", [result, shape], step.output)


def _affine(writer: OnnxWriter, model: PackedModel, step: Any) -> None:  # noqa: ANN401
    scale, shift = (
        writer.constant(f"tensor.{name}", column(_floats(model, name)))
        for name in (step.scale, step.shift)
    )
    product = writer.add("Mul", [step.input, scale], f"{step.output}.product")
    writer.add("Add", [product, shift], step.output)


def _compare(writer: OnnxWriter, model: PackedModel, value: str, stage: Any, channels: int) -> None:  # noqa: ANN401
    """(value >= threshold) != flip, as -1 and +1."""
    bound = writer.constant(f"column.{stage.threshold}", column(_floats(model, stage.threshold)))
    above = writer.add("GreaterOrEqual", [value, bound], f"{stage.output}.above")
    writer.signs(above, stage.output, _bits(model, stage.flip, channels)[0])


def _binarize(writer: OnnxWriter, model: PackedModel, step: Any) -> None:  # noqa: ANN401
    _compare(writer, model, step.input, step, _shape(model, step.input)[0])


def _binary_conv(writer: OnnxWriter, model: PackedModel, step: Any) -> None:  # noqa: ANN401
    channels, height, width = _shape(model, step.input)
    groups = channels if "depthwise" in step.OP else getattr(step, "groups", 1)
    kh, kw = step.kernel
    inner = channels // groups
    rows = _bits(model, step.weight, kh * kw * inner)
    negative = rows.reshape(len(rows), kh, kw, inner)
    signs = np.where(negative, np.float32(-1), np.float32(1)).transpose(0, 3, 1, 2)
    weight = writer.constant(f"tensor.{step.weight}", signs)
    dot = f"{step.stages[0].output}.dot"
    writer.add("Conv", [step.input, weight], dot, **_window(step), group=groups)
    if getattr(step, "fold", None) is not None:
        border = _folded(step, model.tensors[step.fold], height, width)
        constant = writer.constant(f"{dot}.fold", border)
        dot = writer.add("Add", [dot, constant], f"{dot}.folded")
    for stage in step.stages:
        if stage.KIND == "threshold":
            _compare(writer, model, dot, stage, len(rows))
        else:
            _scale(writer, model, dot, stage, len(rows))


def _scale(writer: OnnxWriter, model: PackedModel, dot: str, stage: Any, outputs: int) -> None:  # noqa: ANN401
    scale = writer.constant(f"column.{stage.scale}", column(_floats(model, stage.scale)))
    result = stage.output if stage.addend is None else f"{stage.output}.own"
    product = writer.activated(stage.activation, result)
    if stage.KIND == "affine":
        shift = writer.constant(f"column.{stage.shift}", column(_floats(model, stage.shift)))
        scaled = writer.add("Mul", [dot, scale], f"{result}.scaled")
        writer.add("Add", [scaled, shift], product)
    else:
        writer.add("Mul", [dot, scale], product)
    writer.activate(stage.activation, result)
    if stage.addend is not None:
        channels = _shape(model, stage.addend)[0], outputs
        writer.added_at(stage.addend, result, stage.at, channels, stage.output)


def _folded(step: Any, fold: Array, height: int, width: int) -> Array:  # noqa: ANN401
    """What the taps inside the image add to each pixel's dot product, (1, O, H', W')."""
    top, left, bottom, right = step.padding
    inside = np.pad(np.ones((height, width)), ((top, bottom), (left, right)))
    (kh, kw), (dy, dx), (sy, sx) = step.kernel, step.dilation, step.stride
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


def _quantized(writer: OnnxWriter, model: PackedModel, step: Any) -> None:  # noqa: ANN401
    """8 bits: the inputs become whole numbers 0 to 127, zeros around the image too."""
    x = step.input
    top, left, bottom, right = step.padding
    if any(step.padding):
        pads = np.array([0, 0, top, left, 0, 0, bottom, right], np.int64)
        x = writer.add("Pad", [x, writer.constant(f"{step.output}.pads", pads)],
                       f"{step.output}.padded")  # fmt: skip
    scale, zero = (
        writer.constant(f"column.{name}", column(_floats(model, name)))
        for name in (step.input_scale, step.input_zero)
    )
    x = writer.add("Mul", [x, scale], f"{step.output}.steps")
    x = writer.add("Add", [x, zero], f"{step.output}.shifted")
    x = writer.add("Clip", [x, writer.number(0), writer.number(127)], f"{step.output}.clipped")
    x = writer.add("Round", [x], f"{step.output}.whole")
    inputs = [
        x,
        writer.constant(f"tensor.{step.weight}", _floats(model, step.weight)),
        writer.constant(f"tensor.{step.offset}", _floats(model, step.offset)),
    ]
    window = {**_window(step), "pads": [0, 0, 0, 0]}
    total = writer.add("Conv", inputs, f"{step.output}.sum", **window)
    unit = writer.constant(f"column.{step.scale}", column(_floats(model, step.scale)))
    writer.add("Mul", [total, unit], writer.activated(step.activation, step.output))
    writer.activate(step.activation, step.output)


def _pool(op: str) -> Callable[[OnnxWriter, PackedModel, Any], None]:
    def rule(writer: OnnxWriter, model: PackedModel, step: Any) -> None:  # noqa: ANN401
        kernel = list(step.kernel)
        writer.add(op, [step.input], step.output, kernel_shape=kernel, **_window(step))

    return rule


def _add_slice(writer: OnnxWriter, model: PackedModel, step: Any) -> None:  # noqa: ANN401
    channels = _shape(model, step.input)[0], _shape(model, step.addend)[0]
    writer.added_at(step.input, step.addend, step.at, channels, step.output)


def _concat(writer: OnnxWriter, model: PackedModel, step: Any) -> None:  # noqa: ANN401
    writer.add("Concat", step.inputs, step.output, axis=1)


def _select(writer: OnnxWriter, model: PackedModel, step: Any) -> None:  # noqa: ANN401
    writer.gathered(step.input, model.tensors[step.index], step.output)


def _prelu(writer: OnnxWriter, model: PackedModel, step: Any) -> None:  # noqa: ANN401
    slope = _floats(model, step.slope).reshape(-1, 1, 1)
    writer.add("PRelu", [step.input, writer.constant(f"slope.{step.slope}", slope)], step.output)


def _clip(writer: OnnxWriter, model: PackedModel, step: Any) -> None:  # noqa: ANN401
    low, high = _floats(model, step.low), _floats(model, step.high)
    writer.clipped(step.input, low, high, step.output)


def _constant(writer: OnnxWriter, model: PackedModel, step: Any) -> None:  # noqa: ANN401
    value = writer.constant(f"image.{step.value}", _floats(model, step.value)[None])
    writer.repeated(model.program.input, value, step.output)


def _binary_max_pool(writer: OnnxWriter, model: PackedModel, step: Any) -> None:  # noqa: ANN401
    """The least of signs is the greatest of their opposites, turned."""
    source, result, turn = step.input, step.output, None
    if step.minimum is not None:
        least = _bits(model, step.minimum, _shape(model, step.input)[0])[0]
        turn = writer.constant(f"turn.{step.minimum}", column(np.where(least, -1, 1)))
        source = writer.add("Mul", [step.input, turn], f"{step.output}.turned")
        result = f"{step.output}.greatest"
    writer.add("MaxPool", [source], result, kernel_shape=list(step.kernel), **_window(step))
    if turn is not None:
        writer.add("Mul", [result, turn], step.output)


def _multiply(writer: OnnxWriter, model: PackedModel, step: Any) -> None:  # noqa: ANN401
    writer.add("Mul", [step.input, step.factor], step.output)


def _mean_magnitude(writer: OnnxWriter, model: PackedModel, step: Any) -> None:  # noqa: ANN401
    scale, shift = (column(_floats(model, name)) for name in (step.scale, step.shift))
    factor, rest = _floats(model, step.terms)
    writer.magnitude(step.input, step.output, (scale, shift), (factor, rest))


def _plain(op: str) -> Callable[[OnnxWriter, PackedModel, Any], None]:
    def rule(writer: OnnxWriter, model: PackedModel, step: Any) -> None:  # noqa: ANN401
        writer.add(op, [step.input], step.output)

    return rule


_RULES: Mapping[str, Callable[[OnnxWriter, PackedModel, Any], None]] = {
    "add_slice": _add_slice,
    "affine": _affine,
    "avg_pool2d": _pool("AveragePool"),
    "binarize": _binarize,
    "binary_conv2d": _binary_conv,
    "binary_depthwise_conv2d": _binary_conv,
    "binary_grouped_conv2d": _binary_conv,
    "binary_max_pool2d": _binary_max_pool,
    "clip": _clip,
    "concat": _concat,
    "constant": _constant,
    "conv2d": _conv,
    "global_avg_pool": _plain("GlobalAveragePool"),
    "grouped_conv2d": _conv,
    "linear": _linear,
    "mean_magnitude": _mean_magnitude,
    "max_pool2d": _pool("MaxPool"),
    "multiply": _multiply,
    "prelu": _prelu,
    "quantized_conv2d": _quantized,
    "relu": _plain("Relu"),
    "select_channels": _select,
    "sigmoid": _plain("Sigmoid"),
}
