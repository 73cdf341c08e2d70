"""ONNX Runtime's fused operators (domain com.microsoft), taken apart."""

from __future__ import annotations

import onnx

from bnas_deploy.converters.from_onnx.standard.writer import WriteOut, Writer, attributes_of

__all__ = ["taken_apart"]


def taken_apart(node: onnx.NodeProto) -> WriteOut | None:
    """What writes a fused operator as those it was fused of."""
    return _RULES.get(node.op_type) if node.domain == "com.microsoft" else None


def _conv(writer: Writer) -> bool:
    attributes = attributes_of(writer.node)
    activation = attributes.pop("activation", "")
    terms = attributes.pop("activation_params", [])
    inputs = [writer.given(place) for place in range(3)]
    value = writer.add("Conv", *(inputs if inputs[2] else inputs[:2]), **attributes)
    if writer.given(3):
        value = writer.add("Add", value, writer.given(3))
    return _activated(writer, value, activation, list(terms))


def _gemm(writer: Writer) -> bool:
    attributes = attributes_of(writer.node)
    activation = attributes.pop("activation", "")
    names = ("alpha", "beta", "gamma")
    terms = [attributes.pop(f"activation_{n}") for n in names if f"activation_{n}" in attributes]
    value = writer.add("Gemm", *(n for n in writer.node.input if n), **attributes)
    return _activated(writer, value, activation, terms)


def _activated(writer: Writer, value: str, activation: str, terms: list[float]) -> bool:
    if activation == "Clip" and len(terms) == 2:
        writer.add("Clip", value, *(writer.constant(term) for term in terms))
    elif activation == "HardSigmoid" and len(terms) == 2:
        writer.add(activation, value, alpha=terms[0], beta=terms[1])
    elif activation == "LeakyRelu" and len(terms) == 1:
        writer.add(activation, value, alpha=terms[0])
    elif activation:
        writer.add(activation, value)
    return True


def _matmul(writer: Writer) -> bool:
    """MatMul of a value and a constant, either side transposed, times a number."""
    attributes = attributes_of(writer.node)
    transposed = [attributes.get(f"trans{side}", 0) for side in "AB"]
    batches = any(attributes.get(f"transBatch{side}", 0) for side in "AB")
    if transposed[0] or batches or writer.given(1) in writer.dependent:
        return False
    weight = writer.given(1)
    weight = writer.add("Transpose", weight, perm=[1, 0]) if transposed[1] else weight
    value = writer.add("MatMul", writer.given(0), weight)
    if attributes.get("alpha", 1.0) != 1.0:
        writer.add("Mul", value, writer.constant(attributes["alpha"]))
    return True


_RULES = {"FusedConv": _conv, "FusedGemm": _gemm, "FusedMatMul": _matmul}
