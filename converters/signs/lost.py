"""Finds layers that look as if the export had lost a sign, and says what to do."""

from __future__ import annotations

from collections.abc import Sequence

from bnas_deploy.converters.graph.model_layer import Warned
from bnas_deploy.converters.signs.found import FloatLayer
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.magnitudes import BinaryWeights

__all__ = ["LOST_SIGN", "lost_signs", "sign_may_be_lost"]

LOST_SIGN = "its input is clipped to [-1, 1] and not binary: was a sign lost in the export?"
"""Why such a layer is not binary."""

FEW = 8
"""Weights of an output that may be of one magnitude by chance are fewer."""

_BETWEEN = ("max_pool", "select_channels")


def sign_may_be_lost(imports: Importer, source: str, weights: BinaryWeights) -> bool:
    """Whether a layer of signs reads a float that was clipped to [-1, 1].

    Args:
        imports: The import.
        source: The graph value that it reads.
        weights: Its weights.
    """
    node = imports.producer(source)
    while node is not None and node.op in _BETWEEN:
        node = imports.producer(node.inputs[0])
    if node is None or node.op != "clip" or weights.offset.any() or weights.signs[0].size < FEW:
        return False
    return bool((node.constants["low"] == -1).all() and (node.constants["high"] == 1).all())


def lost_signs(layers: Sequence[FloatLayer]) -> tuple[Warned, ...]:
    """Return a warning of the layers that have `LOST_SIGN` for their reason, if there are any."""
    found = [layer.node for layer in layers if layer.reason == LOST_SIGN]
    if not found:
        return ()
    have = "layer has" if len(found) == 1 else "layers have"
    note = (
        f"{len(found)} {have} weights of one magnitude behind a clip to [-1, 1]"
        f" ({', '.join(found)}): was a sign lost in the export? Exporters drop"
        " `input.data = input.data.sign()`; write `input = input.sign()`, or an autograd function,"
        " and export again"
    )
    return (Warned("lost-sign", note),)
