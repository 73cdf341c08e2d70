"""A model of any dialect in standard operators and float32, with notes on what that leaves out."""

from __future__ import annotations

from dataclasses import dataclass

import onnx

from bnas_deploy.converters.from_onnx.standard.eight_bit import in_float
from bnas_deploy.converters.from_onnx.standard.fused import taken_apart
from bnas_deploy.converters.from_onnx.standard.half import in_float32
from bnas_deploy.converters.from_onnx.standard.old import old_operator
from bnas_deploy.converters.from_onnx.standard.quantizers import DOMAINS, quantizer
from bnas_deploy.converters.from_onnx.standard.writer import written_out

__all__ = ["Standard", "standard"]

OLD = 11
"""The opset from which on bounds and pads are inputs."""


@dataclass(frozen=True)
class Standard:
    """One model, twice.

    Attributes:
        runnable: For ONNX Runtime: what it does not know, or does in less than float32, replaced.
        plain: For the import: fused operators taken apart, too.
        notes: What people should know about it.
        clips: Names of nodes that clip a value to its 8 bits, in place of the rounding.
    """

    runnable: onnx.ModelProto
    plain: onnx.ModelProto
    notes: tuple[str, ...]
    clips: tuple[str, ...]


def standard(proto: onnx.ModelProto, opset: int) -> Standard:
    """Return a model in standard operators.

    Args:
        proto: With its data; not changed.
        opset: Of the standard operators.
    """
    notes = []
    runnable, halves = in_float32(proto)
    if halves:
        notes.append(f"{' and '.join(halves)} is computed in float32, without its roundings")
    runnable, steps = written_out(runnable, quantizer)
    runnable, more = written_out(runnable, in_float)
    clips = (*steps, *more)
    if clips:
        values = f"{len(clips)} value{'s' * (len(clips) > 1)}"
        notes.append(f"{values} in 8 bits and more: in float32, without the rounding to steps")
    _drop_domains(runnable)
    plain, _ = written_out(runnable, taken_apart)
    if opset < OLD:
        plain, _ = written_out(plain, old_operator)
    return Standard(runnable, plain, tuple(notes), clips)


def _drop_domains(model: onnx.ModelProto) -> None:
    """Take out the domains of quantizers that are all written out, as ONNX Runtime lacks them."""
    used = {node.domain for node in model.graph.node}
    kept = [o for o in model.opset_import if o.domain not in DOMAINS or o.domain in used]
    if len(kept) < len(model.opset_import):
        opsets = [onnx.helper.make_opsetid(o.domain, o.version) for o in kept]
        del model.opset_import[:]
        model.opset_import.extend(opsets)
