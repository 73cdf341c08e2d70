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
from bnas_deploy.converters.graph.model_layer import Warned
from bnas_deploy.converters.graph.nodes import Array, Graph, Node, same_work
from bnas_deploy.converters.graph.ops import PACKED
from bnas_deploy.converters.packing.compare import SelfCheck
from bnas_deploy.converters.packing.layers import (
    BINARY_OPS,
    NOT_KNOWN,
    LayerRun,
    model_layers,
    no_binary_layer,
    runs_in_8_bits,
)
from bnas_deploy.converters.packing.source import Source
from bnas_deploy.converters.passes.pipeline import PassRecord
from bnas_deploy.format import PackedModel

__all__ = ["Kept", "Narrowed", "Report", "make_report"]

_CONVOLUTIONS = {*BINARY_OPS, "conv", "linear", *PACKED}
_USUAL = {
    "conv": NOT_KNOWN,
    "linear": NOT_KNOWN,
    "affine": "a scale and shift that no layer can take (padding behind it, or none beside it)",
}
"""Why an operation stays in full precision, unless the front end knows better."""
_HELPER = "part of what the conversion writes an operator of the model in"


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
        binary_weights: Number of binary weights of the model, and bits that they are stored in.
        binary_convolutions: Number of binary layers of the model, and of those that are left.
        steps: Number of steps by operation.
        zeroise: Edges removed because they are Zeroise, in networks of the paper.
        zero_sums: Additions and pools removed because what they work on is zero.
        unread: Layers removed because nobody reads them.
        merged: Nodes removed because an equal one is there.
        narrowed: Layers that lost input channels.
        folded_batchnorms: Full-precision convolutions that took in a BatchNorm.
        integer_thresholds: Number of BatchNorm + sign that became integer compares.
        float_thresholds: Number of BatchNorm + sign that became float compares.
        fused_residuals: Convolutions that write straight onto the value they are added to.
        kept: What stays in full precision, and why.
        layers: Every convolution and linear layer of the model, and how it runs.
        warnings: What the user must know.
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
    layers: tuple[LayerRun, ...] = ()
    warnings: tuple[Warned, ...] = ()
    self_check: SelfCheck | None = None
    eight_bit: EightBit | None = None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    def summary(self) -> dict[str, Any]:
        """Return the same for a file's provenance, with numbers for long lists.

        The self-check is left out: it has a place of its own there.
        """
        counted = ("zeroise", "zero_sums", "merged", "fused_residuals")
        facts = self.to_dict() | {key: len(getattr(self, key)) for key in counted}
        facts["layers"] = self.layer_counts()
        del facts["self_check"]
        return facts

    def layer_counts(self) -> dict[str, int]:
        """Number of the model's layers by how they run."""
        return dict(Counter(layer.runs for layer in self.layers))

    def warned(self, *warnings: Warned) -> Report:
        """Return the report with more warnings."""
        return replace(self, warnings=(*self.warnings, *warnings))

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
            layers=runs_in_8_bits(self.layers, gone),
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
    packed = _of(last, *PACKED)
    names = {node.name for node in _of(first, *BINARY_OPS)}  # others turn signs into floats
    layers = model_layers(source, first, last)
    binary = [layer for layer in layers if not layer.reason]
    stages = [stage for node in packed for stage in node.attributes["stages"]]
    return Report(
        network=source.name,
        parameters=source.parameters,
        source_bytes=4 * source.parameters,
        packed_bytes=sum(array.nbytes for array in tensors.values()),
        bytes_by_kind=_bytes_by_kind(last, tensors),
        binary_weights=(
            sum(layer.weights for layer in binary),
            sum(n.constants["weight"].size for n in packed if n.name in names),
        ),
        binary_convolutions=(len(binary), sum(layer.runs == "binary" for layer in binary)),
        steps=dict(sorted(Counter(steps).items())),
        zeroise=() if source.paper is None else tuple(n.name for n in _of(first, "zero")),
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
            _kept(node, source) for node in last.nodes if node.op in {"conv", "linear", "affine"}
        ),
        layers=layers,
        warnings=(*source.warnings, *no_binary_layer(layers)),
        notes=source.notes,
    )


def _of(graph: Graph, *ops: str) -> list[Node]:
    return [node for node in graph.nodes if node.op in ops]


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


def _kept(node: Node, source: Source) -> Kept:
    size = sum(array.nbytes for array in node.constants.values())
    usual = _USUAL[node.op]
    if source.layers is not None and usual == NOT_KNOWN:  # which layers there are is known
        usual = _HELPER
    return Kept(node.name, node.op, source.reasons.get(node.name, usual), size)


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
