"""Removes nodes whose output is unused."""

from __future__ import annotations

from bnas_deploy.converters.graph.nodes import Graph
from bnas_deploy.converters.passes.base import Pass

__all__ = ["EliminateDead"]


class EliminateDead(Pass):
    """A node none of whose values is read, or is the output, vanishes, and so do its sources."""

    name = "eliminate_dead"

    def rewrite(self, graph: Graph) -> Graph:
        """Walk backwards from the output."""
        needed, kept = {graph.output}, []
        for node in reversed(graph.nodes):
            if needed.intersection(node.outputs):
                needed.update(node.inputs)
                kept.append(node)
        return graph.with_nodes(reversed(kept))
