"""Merges equal nodes into one."""

from __future__ import annotations

from bnas_deploy.converters.graph.nodes import Graph, Node, same_work
from bnas_deploy.converters.graph.ops import PACKED
from bnas_deploy.converters.passes.base import Pass

__all__ = ["MergeEqual"]


class MergeEqual(Pass):
    """Of several nodes with equal operation, inputs, attributes and constants, the first stays."""

    name = "merge_equal"

    def rewrite(self, graph: Graph) -> Graph:
        """Walk forwards, so that nodes that read merged values can merge too."""
        seen: dict[tuple[str, tuple[str, ...]], list[Node]] = {}
        renamed: dict[str, str] = {}
        kept = []
        for old in graph.nodes:
            node = old.renamed_inputs(renamed)
            rivals = seen.setdefault((node.op, node.inputs), [])
            twin = next((rival for rival in rivals if same_work(rival, node)), None)
            if twin is None or node.op in PACKED:  # whose constants name its outputs
                rivals.append(node)
                kept.append(node)
            else:
                renamed.update(zip(node.outputs, twin.outputs, strict=True))
        return graph.with_nodes(kept, renamed.get(graph.output))
