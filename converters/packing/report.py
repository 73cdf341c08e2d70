"""What an export removed, folded, merged and kept, read off the graphs before and after each pass.

`report_text` prints what `Report` holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from bnas_deploy.converters.eight_bit.facts import EightBit
from bnas_deploy.converters.graph.nodes import Array, Graph, Node, same_work
from bnas_deploy.converters.graph.ops import PACKED
from bnas_deploy.converters.packing.compare import SelfCheck
from bnas_deploy.converters.packing.source import Source
from bnas_deploy.converters.passes.pipeline import PassRecord
from bnas_deploy.format import PackedModel

__all__ = ["Kept", "Narrowed", "Report", "make_report"]

_BINARY = {"binary_conv", "binary_depthwise"}
_CONVOLUTIONS = {*_BINARY, "conv", "linear", *PACKED}
_USUAL = {
    "conv": "the network has it in full precision",
    "linear": "the network has it in full precision",
    "affine": "a scale and shift that no layer can take (padding behind it, or none beside it)",
}
"""Why an operation stays in full precision, unless the front end knows better."""


@dataclass(frozen=True)
class Kept:
    """A layer that runs in full precision.

    Attributes:
        layer: Its name.
        op: What it is.
        reason: Why it is not binary.
        bytes: Of its parameters.
    """

    layer: str
    op: str
    reason: str
    bytes: int


@dataclass(frozen=True)
class Narrowed:
    """A layer that reads fewer channels, as the others are the same for every image."""

    layer: str
    before: int
    after: int


@dataclass(frozen=True)
class Report:
    """What an export did.

    Attributes:
        network: The network's name.
        parameters: Of the network before.
        source_bytes: Of those parameters in float32.
        packed_bytes: Of all tensors of the program.
        bytes_by_kind: The same by what they are: binary weights, thresholds, scales, and so on.
        binary_weights: Bits of binary weights before, and after.
        binary_convolutions: Their number before, and after.
        steps: Number of steps by operation.
        zeroise: Edges removed because they are Zeroise.
        zero_sums: Additions and pools removed because what they work on is zero.
        unread: Layers removed because nobody reads them.
        merged: Nodes removed because an equal one is there.
        narrowed: Layers that lost input channels.
        folded_batchnorms: Full-precision convolutions that took in a BatchNorm.
        integer_thresholds: Number of BatchNorm + sign that became integer compares.
        float_thresholds: Number of BatchNorm + sign that became float compares.
        fused_residuals: Convolutions that write straight onto the value they are added to.
        kept: What stays in full precision, and why.
        self_check: Agreement of the original and the packed program; None if it was not run.
        eight_bit: Which layers run in 8 bits and which not, and why; None if it was not asked for.
        notes: How the file was understood, where there was something to say.
    """

    network: str
    parameters: int
    source_bytes: int
    packed_bytes: int
    bytes_by_kind: dict[str, int]
    binary_weights: tuple[int, int]
    binary_convolutions: tuple[int, int]
    steps: dict[str, int]
    zeroise: tuple[str, ...]
    zero_sums: tuple[str, ...]
    unread: tuple[str, ...]
    merged: tuple[str, ...]
    narrowed: tuple[Narrowed, ...]
    folded_batchnorms: tuple[str, ...]
    integer_thresholds: int
    float_thresholds: int
    fused_residuals: tuple[str, ...]
    kept: tuple[Kept, ...]
    self_check: SelfCheck | None = None
    eight_bit: EightBit | None = None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    def summary(self) -> dict[str, Any]:
        """Return the same for a file's provenance, with the number of names for long lists.

        The self-check is left out: it has a place of its own there.
        """
        counted = ("zeroise", "zero_sums", "merged", "fused_residuals")
        facts = self.to_dict() | {key: len(getattr(self, key)) for key in counted}
        del facts["self_check"]
        return facts

    def with_eight_bit(self, found: EightBit, model: PackedModel) -> Report:
        """Return the report of the program after `quantize`, whose result is given."""
        gone = {layer.layer for layer in found.layers}
        kinds = dict(self.bytes_by_kind)
        if found.layers:
            kinds["full precision"] -= sum(layer.bytes_before for layer in found.layers)
            kinds["8-bit layers"] = sum(layer.bytes_after for layer in found.layers)
        return replace(
            self,
            packed_bytes=sum(array.nbytes for array in model.tensors.values()),
            bytes_by_kind={kind: size for kind, size in sorted(kinds.items()) if size},
            steps=dict(sorted(Counter(step.OP for step in model.program.steps).items())),
            kept=tuple(kept for kept in self.kept if kept.layer not in gone),
            eight_bit=found,
        )


def make_report(
    source: Source,
    records: Sequence[PassRecord],
    tensors: Mapping[str, Array],
    steps: Sequence[str],
) -> Report:
    """Read a report off what the passes did.

    Args:
        source: What was packed.
        records: Of the pipeline, not empty.
        tensors: Of the program.
        steps: Operations of the program.
    """
    first, last = records[0].before, records[-1].after
    binary, packed = _of(first, *_BINARY), _of(last, *PACKED)
    names = {node.name for node in binary}  # other packed nodes turn signs into floats
    stages = [stage for node in packed for stage in node.attributes["stages"]]
    return Report(
        network=source.name,
        parameters=source.parameters,
        source_bytes=4 * source.parameters,
        packed_bytes=sum(array.nbytes for array in tensors.values()),
        bytes_by_kind=_bytes_by_kind(last, tensors),
        binary_weights=(_bits(binary), _bits([n for n in packed if n.name in names])),
        binary_convolutions=(len(binary), sum(n.name in names for n in packed)),
        steps=dict(sorted(Counter(steps).items())),
        zeroise=tuple(node.name for node in _of(first, "zero")),
        zero_sums=_removed(records, "remove_zero", {"add", "max_pool", "avg_pool", "concat"}),
        unread=_removed(records, "eliminate_dead", _CONVOLUTIONS),
        merged=_removed(records, "merge_equal"),
        narrowed=_narrowed(records),
        folded_batchnorms=_rescaled(records),
        integer_thresholds=sum(stage.kind == "threshold" for stage in stages),
        float_thresholds=len(_of(last, "binarize")),
        fused_residuals=tuple(
            node.name
            for node in packed
            if any(stage.addend is not None for stage in node.attributes["stages"])
        ),
        kept=tuple(
            _kept(node, source.reasons)
            for node in last.nodes
            if node.op in {"conv", "linear", "affine"}
        ),
        notes=source.notes,
    )


def _of(graph: Graph, *ops: str) -> list[Node]:
    return [node for node in graph.nodes if node.op in ops]


def _bits(nodes: Sequence[Node]) -> int:
    return sum(node.constants["weight"].size for node in nodes)


def _removed(
    records: Sequence[PassRecord], name: str, operations: set[str] | None = None
) -> tuple[str, ...]:
    return tuple(
        node
        for record in records
        if record.name == name
        for node, op in record.removed
        if operations is None or op in operations
    )


def _narrowed(records: Sequence[PassRecord]) -> tuple[Narrowed, ...]:
    found = []
    for record in records:
        before = {
            node.name: _inputs(node) for node in record.before.nodes if node.op in _CONVOLUTIONS
        }
        for node in record.after.nodes:
            was = before.get(node.name, 0)
            if node.op in _CONVOLUTIONS and _inputs(node) < was:
                found.append(Narrowed(node.name, was, _inputs(node)))
    return tuple(found)


def _rescaled(records: Sequence[PassRecord]) -> tuple[str, ...]:
    found: list[str] = []
    for record in (r for r in records if r.name == "fold_batchnorm"):
        before = {node.name: node for node in record.before.nodes}
        found += [n.name for n in _of(record.after, "conv") if not same_work(n, before[n.name])]
    return tuple(found)


def _inputs(node: Node) -> int:
    return int(node.constants["weight"].shape[1])


def _kept(node: Node, reasons: Mapping[str, str]) -> Kept:
    size = sum(array.nbytes for array in node.constants.values())
    return Kept(node.name, node.op, reasons.get(node.name, _USUAL[node.op]), size)


def _bytes_by_kind(graph: Graph, tensors: Mapping[str, Array]) -> dict[str, int]:
    full = {n.name for n in graph.nodes if n.op in {"conv", "linear", "affine", "mean_magnitude"}}
    sizes: Counter[str] = Counter()
    for name, array in tensors.items():
        owner, _, constant = name.rpartition(".")
        sizes[_kind(owner in full, constant, array)] += array.nbytes
    return dict(sorted(sizes.items()))


def _kind(full: bool, constant: str, array: Array) -> str:
    if full:
        return "full precision"
    if constant == "weight":
        return "binary weights"
    if constant == "flip":
        return "flips"
    if constant == "threshold":
        return "float thresholds" if array.dtype == np.float32 else "integer thresholds"
    return {"scale": "scales", "fold": "folded constants"}.get(constant, "channel indices")
