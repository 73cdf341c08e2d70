"""Makes an average pool whose one window is the whole image the global one."""

from __future__ import annotations

from dataclasses import replace

from bnas_deploy.converters.graph.nodes import Graph, Node
from bnas_deploy.converters.passes.base import Pass

__all__ = ["PoolGlobally"]


class PoolGlobally(Pass):
    """avg_pool over all pixels, without padding, becomes global_avg_pool, a far faster step."""

    name = "pool_globally"

    def rewrite(self, graph: Graph) -> Graph:
        """Replace each such pool."""
        return graph.with_nodes(_global(graph, node) for node in graph.nodes)


def _global(graph: Graph, node: Node) -> Node:
    if node.op != "avg_pool":
        return node
    size = graph.values[node.inputs[0]].shape[1:]
    whole = tuple(node.attributes["kernel"]) == size and not any(node.attributes["padding"])
    return replace(node, op="global_avg_pool", attributes={}) if whole else node
