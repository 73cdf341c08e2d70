"""Activations in 8 bits: QuantizeLinear and its kin, without their roundings.

A value that was quantized is its range (a Clip) from then on, not its steps: float32 is finer. What
is quantized and constant is computed as it stands. Only one scale and zero point a value is taken.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx

from bnas_deploy.converters.from_onnx.standard.writer import WriteOut, Writer, attributes_of

__all__ = ["in_float"]

MICROSOFT = "com.microsoft"
RANGES = {
    onnx.TensorProto.UINT8: (0, 255), onnx.TensorProto.INT8: (-128, 127),
    onnx.TensorProto.UINT16: (0, 65535), onnx.TensorProto.INT16: (-32768, 32767),
}  # fmt: skip


def in_float(node: onnx.NodeProto) -> WriteOut | None:
    """What writes a quantized operator in float32."""
    known = _STANDARD if node.domain in ("", "ai.onnx") else _MICROSOFT
    return known.get(node.op_type) if node.domain in ("", "ai.onnx", MICROSOFT) else None


def _quantize(writer: Writer) -> bool:
    return writer.given(0) in writer.dependent and _ranged(writer, writer.given(0), 1, 2)


def _ranged(writer: Writer, value: str, scale_at: int, zero_at: int) -> bool:
    """Clip a value to what its 8 bits can say."""
    scale, name = writer.number(scale_at), writer.given(zero_at)
    zero = writer.number(zero_at) if name else 0.0
    kind = RANGES[onnx.TensorProto.UINT8]
    if name in writer.known:
        dtype = writer.known[name].dtype
        if dtype.kind not in "iu" or dtype.itemsize > 2:
            return False
        kind = (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
    elif (stated := attributes_of(writer.node).get("output_dtype", 0)) in RANGES:
        kind = RANGES[stated]
    if scale is None or zero is None:
        return False
    low, high = ((end - zero) * scale for end in kind)
    writer.add("Clip", value, writer.constant(low), writer.constant(high))
    writer.rounding_left_out = True
    return True


def _dequantize(writer: Writer) -> bool:
    if writer.given(0) not in writer.dependent:
        return False  # a constant, computed as it stands
    writer.add("Identity", writer.given(0))
    return writer.number(1) is not None


def _weight(writer: Writer, place: int, axis: int) -> str:
    """A quantized constant with its scale and zero point behind it, as floats."""
    names = [writer.given(place + i) for i in range(3)]
    return writer.add("DequantizeLinear", *names, axis=axis)


def _bias(writer: Writer, place: int, scales: tuple[int, int]) -> list[str]:
    """A bias in whole units of both scales."""
    if not writer.given(place):
        return []
    unit = writer.add("Mul", *(writer.given(i) for i in scales))
    whole = writer.add("Cast", writer.given(place), to=onnx.TensorProto.FLOAT)
    return [writer.add("Mul", whole, unit)]


def _conv(writer: Writer) -> bool:
    attributes = attributes_of(writer.node)
    weight, bias = _weight(writer, 3, 0), _bias(writer, 8, (1, 4))
    value = writer.add("Conv", writer.given(0), weight, *bias, **attributes)
    return _ranged(writer, value, 6, 7)


def _matmul(writer: Writer) -> bool:
    value = writer.add("MatMul", writer.given(0), _weight(writer, 3, 1))
    return writer.given(3) not in writer.dependent and _ranged(writer, value, 6, 7)


def _gemm(writer: Writer) -> bool:
    attributes = attributes_of(writer.node)
    axis = 0 if attributes.get("transB", 0) else 1
    weight, bias = _weight(writer, 3, axis), _bias(writer, 6, (1, 4))
    value = writer.add("Gemm", writer.given(0), weight, *bias, **attributes)
    return not writer.given(7) or _ranged(writer, value, 7, 8)


def _add(writer: Writer) -> bool:
    sides = [
        writer.given(at) if writer.given(at) in writer.dependent else _weight(writer, at, 0)
        for at in (0, 3)
    ]
    op = writer.node.op_type.removeprefix("QLinear")
    return _ranged(writer, writer.add(op, *sides), 6, 7)


def _pool(writer: Writer) -> bool:
    attributes = attributes_of(writer.node)
    last = attributes.pop("channels_last", 0)
    op = writer.node.op_type.removeprefix("QLinear")
    return not last and _ranged(writer, writer.add(op, writer.given(0), **attributes), 3, 4)


_STANDARD: dict[str, Callable[[Writer], bool]] = {
    "DequantizeLinear": _dequantize,
    "QLinearConv": _conv,
    "QLinearMatMul": _matmul,
    "QuantizeLinear": _quantize,
}
_MICROSOFT: dict[str, Callable[[Writer], bool]] = {
    "DequantizeLinear": _dequantize,
    "QGemm": _gemm,
    "QLinearAdd": _add,
    "QLinearAveragePool": _pool,
    "QLinearGlobalAveragePool": _pool,
    "QLinearMul": _add,
    "QuantizeLinear": _quantize,
}
