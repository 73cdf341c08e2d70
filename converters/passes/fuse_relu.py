"""Makes a ReLU the activation of the convolution before it."""

from __future__ import annotations

from dataclasses import replace

from bnas_deploy.converters.graph.nodes import Graph
from bnas_deploy.converters.passes.base import Pass

__all__ = ["FuseRelu"]

_CONVOLUTIONS = {"conv", "binary_conv"}


class FuseRelu(Pass):
    """relu(conv(x)), where nobody else reads conv(x), becomes conv(x) with activation relu."""

    name = "fuse_relu"

    def rewrite(self, graph: Graph) -> Graph:
        """Give the convolution the ReLU's output, and drop the ReLU."""
        fused: dict[str, str] = {}
        for node in graph.nodes:
            source = graph.producers.get(node.inputs[0]) if node.op == "relu" else None
            if (
                source is not None
                and source.op in _CONVOLUTIONS
                and source.attributes["activation"] == "none"
                and graph.only_reader(source.output) is node
            ):
                fused[source.output] = node.output
        nodes = []
        for node in graph.nodes:
            if node.outputs[0] in fused:
                renamed = replace(node, outputs=(fused[node.output],))
                nodes.append(renamed.with_attributes(activation="relu"))
            elif not (node.op == "relu" and node.inputs[0] in fused):
                nodes.append(node)
        return graph.with_nodes(nodes)
