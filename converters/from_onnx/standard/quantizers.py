"""The quantizers of other tools: QONNX's BipolarQuant and Quant, FINN's MultiThreshold.

ONNX Runtime does not know them, so the model that it is checked against is written out, too.
"""

from __future__ import annotations

import onnx

from bnas_deploy.converters.from_onnx.standard.writer import WriteOut, Writer, attributes_of

__all__ = ["DOMAINS", "quantizer"]

DOMAINS = (
    "qonnx.custom_op.general",
    "finn.custom_op.general",
    "onnx.brevitas",
    "finn",
)
"""Where these operators have been found."""

WHOLE_BITS = 8
"""From so many bits on, a quantizer of activations is taken for its range alone."""


def quantizer(node: onnx.NodeProto) -> WriteOut | None:
    """What writes a quantizer in standard operators, for opsets from 12 (compares of bools)."""
    return _RULES.get(node.op_type) if node.domain in DOMAINS else None


def _bipolar(writer: Writer) -> bool:
    below = writer.add("Less", writer.given(0), writer.constant(0))
    signs = writer.add("Where", below, writer.constant(-1), writer.constant(1))
    writer.add("Mul", signs, writer.given(1))
    return True


def _threshold(writer: Writer) -> bool:
    attributes, table = attributes_of(writer.node), writer.known.get(writer.given(1))
    layout = attributes.get("data_layout", "NCHW")
    if table is None or table.ndim != 2 or table.shape[1] != 1:
        return False
    if layout == "NC":
        sizes = [1, -1]
    elif layout == "NCHW":
        sizes = [1, -1, 1, 1]
    elif layout in ("NHWC", "NWC"):
        sizes = [-1]
    else:
        return False
    bound = writer.constant(table.reshape(sizes))
    below = writer.add("Less", writer.given(0), bound)
    scale, bias = (float(attributes.get(f"out_{k}", v)) for k, v in (("scale", 1), ("bias", 0)))
    writer.add("Where", below, writer.constant(bias), writer.constant(scale + bias))
    return True


def _quant(writer: Writer) -> bool:
    """Of constants all of it; of activations in 8 bits and more the bounds, without the steps."""
    attributes, bits = attributes_of(writer.node), writer.number(3)
    mode = _MODES.get(attributes.get("rounding_mode", "ROUND").upper())
    if bits is None or mode is None or not 1 < bits <= 32:
        return False
    narrow, signed = bool(attributes.get("narrow", 0)), bool(attributes.get("signed", 1))
    low = (-(2 ** (bits - 1)) + narrow) if signed else 0
    high = 2 ** (bits - 1) - 1 if signed else 2**bits - 1 - narrow
    x, scale, zero = (writer.given(place) for place in range(3))
    bounds = [writer.constant(n) for n in (low, high)]
    if x not in writer.dependent:
        steps = writer.add("Add", writer.add("Div", x, scale), zero)
        whole = writer.add(mode, writer.add("Clip", steps, *bounds))
        writer.add("Mul", writer.add("Sub", whole, zero), scale)
        return True
    if bits < WHOLE_BITS:
        return False
    low_x, high_x = (writer.add("Mul", writer.add("Sub", n, zero), scale) for n in bounds)
    writer.add("Min", writer.add("Max", x, low_x), high_x)
    writer.rounding_left_out = True
    return True


_MODES = {"ROUND": "Round", "HALF_EVEN": "Round", "CEIL": "Ceil", "FLOOR": "Floor"}

_RULES = {"BipolarQuant": _bipolar, "MultiThreshold": _threshold, "Quant": _quant}
