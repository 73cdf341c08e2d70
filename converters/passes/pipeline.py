"""The passes from a front end's graph to one that `emit` can write, in order, with reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bnas_deploy.converters.graph.nodes import Graph
from bnas_deploy.converters.passes.add_slices import AddSlices
from bnas_deploy.converters.passes.base import Pass
from bnas_deploy.converters.passes.binarize_signs import BinarizeSigns
from bnas_deploy.converters.passes.eliminate_dead import EliminateDead
from bnas_deploy.converters.passes.find_prelu import FindPrelu
from bnas_deploy.converters.passes.fold_batchnorm import FoldBatchnorm
from bnas_deploy.converters.passes.fuse_affine import FuseAffine
from bnas_deploy.converters.passes.fuse_relu import FuseRelu
from bnas_deploy.converters.passes.fuse_residual import FuseResidual
from bnas_deploy.converters.passes.lower_batchnorm import LowerBatchnorm
from bnas_deploy.converters.passes.lower_bits_to_float import LowerBitsToFloat
from bnas_deploy.converters.passes.merge_equal import MergeEqual
from bnas_deploy.converters.passes.pack_convs import PackConvs
from bnas_deploy.converters.passes.pool_first import PoolFirst
from bnas_deploy.converters.passes.pool_globally import PoolGlobally
from bnas_deploy.converters.passes.pool_signs import PoolSigns
from bnas_deploy.converters.passes.remove_zero.rules import RemoveZero
from bnas_deploy.converters.passes.schedule import Schedule
from bnas_deploy.converters.passes.split_zero_signs import SplitZeroSigns
from bnas_deploy.errors import ConversionError, PassError

__all__ = ["PIPELINE", "PassRecord", "run_pipeline"]

PIPELINE: tuple[Pass, ...] = (
    EliminateDead(),  # First, so that no pass works on what nobody reads (unused input units).
    RemoveZero(),  # While every operation still has its float meaning.
    SplitZeroSigns(),  # After zeros: constants are folded as 0, the rest is an ordinary sign.
    LowerBitsToFloat(),  # Makes binary convolutions, so before PackConvs.
    MergeEqual(),  # After zeros are gone, as add(pool, 0) and pool are equal only then.
    FindPrelu(),  # Before whatever looks at single activations: pools, ReLUs.
    PoolSigns(),  # After ordinary signs are all there are; before convolutions take them.
    FuseRelu(),  # Before thresholds, which go through the ReLU.
    PoolFirst(),  # Before folding, as it puts a BatchNorm next to the convolution behind the pool.
    PoolGlobally(),  # After the pools that a BatchNorm may change places with.
    FoldBatchnorm(),  # After zeros: their shifts are in biases already.
    FuseRelu(),  # Again: conv, BatchNorm, ReLU has become conv, ReLU.
    PackConvs(),  # Takes sign(BatchNorm(dot product)); what is left to BinarizeSigns reads floats.
    BinarizeSigns(),
    LowerBatchnorm(),  # What nothing could take, such as the one before a padded stem.
    FuseAffine(),  # After BatchNorms are affine, before additions see the convolutions.
    AddSlices(),  # Needs to see which convolutions give floats to an addition alone.
    FuseResidual(),
    EliminateDead(),
    Schedule(),  # Last, as it only orders.
)
"""From a front end's graph to one of the operations that the format has (and `zero`)."""


@dataclass(frozen=True)
class PassRecord:
    """What one pass did.

    Attributes:
        name: The pass.
        modified: Whether it changed anything.
        removed: (name, operation) of the nodes that are no longer there.
        before: The graph it was given.
        after: The graph it returned.
    """

    name: str
    modified: bool
    removed: tuple[tuple[str, str], ...]
    before: Graph
    after: Graph


def run_pipeline(
    graph: Graph, passes: Sequence[Pass] = PIPELINE
) -> tuple[Graph, tuple[PassRecord, ...]]:
    """Run passes in order.

    Raises:
        PassError: A pass failed; the message names it and those already run.
    """
    records: list[PassRecord] = []
    for step in passes:
        try:
            result, modified = step(graph)
        except ConversionError as error:
            done = ", ".join(record.name for record in records) or "none"
            msg = f"pass {step.name}: {error} (passes already run: {done})"
            raise PassError(msg) from error
        records.append(PassRecord(step.name, modified, _removed(graph, result), graph, result))
        graph = result
    return graph, tuple(records)


def _removed(before: Graph, after: Graph) -> tuple[tuple[str, str], ...]:
    left = {node.name for node in after.nodes}
    return tuple((node.name, node.op) for node in before.nodes if node.name not in left)
