"""Makes a scale and shift behind a binary convolution part of its output stage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bnas_deploy.converters.graph.nodes import Array, Graph, Node
from bnas_deploy.converters.graph.ops import PACKED
from bnas_deploy.converters.passes.base import Pass

__all__ = ["FuseAffine"]


class FuseAffine(Pass):
    """Two rules, for a scale stage without activation and addend.

    1. affine(stage), where nobody else reads the stage, becomes one affine stage. Both scales are
       multiplied in float64 and rounded once: another rounding of the same number.
    2. relu(stage), where nobody else reads the stage, becomes its activation.
    """

    name = "fuse_affine"
    absent_before = frozenset({"binary_conv", "binary_depthwise", "batch_norm"})

    def rewrite(self, graph: Graph) -> Graph:
        """Fuse one node at a time, until none fits."""
        while True:
            for node in graph.nodes:
                fused = _fuse(graph, node) if node.op in ("affine", "relu") else None
                if fused is not None:
                    graph = fused
                    break
            else:
                return graph


def _fuse(graph: Graph, node: Node) -> Graph | None:
    value = node.inputs[0]
    conv = graph.producers.get(value)
    if conv is None or conv.op not in PACKED or graph.only_reader(value) is not node:
        return None
    place = conv.outputs.index(value)
    stage = conv.attributes["stages"][place]
    if stage.kind == "threshold" or stage.activation != "none" or stage.addend is not None:
        return None
    own = {key: conv.constants[f"{value}.{key}"] for key in _KEYS[stage.kind]}
    if node.op == "affine":
        stage, own = replace(stage, kind="affine"), _composed(own, node)
    else:
        stage = replace(stage, activation="relu")
    constants = {
        key: array for key, array in conv.constants.items() if not key.startswith(f"{value}.")
    }
    constants |= {f"{node.output}.{key}": array for key, array in own.items()}
    stages = tuple(stage if i == place else s for i, s in enumerate(conv.attributes["stages"]))
    outputs = tuple(node.output if name == value else name for name in conv.outputs)
    fused = replace(conv, outputs=outputs, constants=constants).with_attributes(stages=stages)
    return graph.with_nodes(fused if n is conv else n for n in graph.nodes if n is not node)


_KEYS = {"scale": ("scale",), "affine": ("scale", "shift")}


def _composed(own: dict[str, Array], node: Node) -> dict[str, Array]:
    """The affine of an affine."""
    dtype = own["scale"].dtype
    scale, shift = (node.constants[key].astype(np.float64) for key in ("scale", "shift"))
    before = own.get("shift", np.zeros(len(scale))).astype(np.float64)
    return {
        "scale": (own["scale"] * scale).astype(dtype),
        "shift": (before * scale + shift).astype(dtype),
    }
