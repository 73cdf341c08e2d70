"""Lets a binary convolution write its output straight onto the value it is added to."""

from __future__ import annotations

from dataclasses import replace

from bnas_deploy.converters.graph.nodes import Graph, Node, topological
from bnas_deploy.converters.passes.base import Pass

__all__ = ["FuseResidual"]


class FuseResidual(Pass):
    """add_slice(x, conv), where nobody else reads that output, becomes the stage's addend.

    Not where x itself depends on the convolution.
    """

    name = "fuse_residual"
    absent_before = frozenset({"binary_conv", "binary_depthwise", "add"})

    def rewrite(self, graph: Graph) -> Graph:
        """Fuse one addition at a time, until none fits."""
        fitting = True
        while fitting:
            fitting = False
            for node in graph.nodes:
                fused = _fuse(graph, node) if node.op == "add_slice" else None
                if fused is not None:
                    graph, fitting = fused, True
                    break
        return graph


def _fuse(graph: Graph, node: Node) -> Graph | None:
    base, value = node.inputs
    conv = graph.producers.get(value)
    if conv is None or conv.op != "packed_conv" or graph.only_reader(value) is not node:
        return None
    place = conv.outputs.index(value)
    stage = conv.attributes["stages"][place]
    if stage.addend is not None or _depends(graph, base, conv):
        return None
    stage = replace(stage, addend=len(conv.inputs), at=node.attributes["at"])
    stages = tuple(stage if i == place else s for i, s in enumerate(conv.attributes["stages"]))
    outputs = tuple(node.output if name == value else name for name in conv.outputs)
    constants = dict(conv.constants)
    for key in ("scale", "shift"):
        if f"{value}.{key}" in constants:
            constants[f"{node.output}.{key}"] = constants.pop(f"{value}.{key}")
    fused = replace(conv, inputs=(*conv.inputs, base), outputs=outputs, constants=constants)
    nodes = [
        fused.with_attributes(stages=stages) if n is conv else n
        for n in graph.nodes
        if n is not node
    ]
    return graph.with_nodes(topological(nodes, graph.input))


def _depends(graph: Graph, value: str, source: Node) -> bool:
    """Whether a value is computed from any output of a node."""
    tainted = set(source.outputs)
    for node in graph.nodes:
        if tainted.intersection(node.inputs):
            tainted.update(node.outputs)
    return value in tainted
