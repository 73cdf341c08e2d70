"""Puts the nodes into the order in which they run."""

from __future__ import annotations

from bnas_deploy.converters.graph.nodes import Graph, Node
from bnas_deploy.converters.passes.base import Pass

__all__ = ["Schedule"]


class Schedule(Pass):
    """Two rules, both so that an engine can add onto a value in place.

    1. A value is binarized by all its readers right after it is made.
    2. A node that adds onto a value waits until the value's other readers have run, unless they
       wait for it.

    Otherwise the order stays.
    """

    name = "schedule"

    def rewrite(self, graph: Graph) -> Graph:
        """Take, again and again, the best of the nodes that are ready."""
        waiting, done, ordered = list(graph.nodes), {graph.input}, []
        left = {value: len(nodes) for value, nodes in graph.readers.items()}
        while waiting:
            ready = [node for node in waiting if done.issuperset(node.inputs)]
            node = min(ready, key=lambda n: _rank(n, left))
            waiting.remove(node)
            ordered.append(node)
            done.update(node.outputs)
            for name in set(node.inputs):
                left[name] -= 1
        return graph.with_nodes(ordered)


def _rank(node: Node, left: dict[str, int]) -> int:
    """0 for what should run at once, 2 for what should wait; `min` keeps the order among equals."""
    if node.op == "binarize":
        return 0
    return 2 if any(left[base] > 1 for base in _bases(node)) else 1


def _bases(node: Node) -> list[str]:
    """The values that a node adds onto."""
    if node.op == "add_slice":
        return [node.inputs[0]]
    if node.op == "packed_conv":
        return [node.inputs[s.addend] for s in node.attributes["stages"] if s.addend is not None]
    return []
