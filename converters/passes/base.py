"""What a pass is: a rewrite with its checks.

A pass does one thing, names the operations that must be absent before and after, returns (graph,
modified), and changes nothing when it is run a second time. To write one: subclass `Pass`, make the
class docstring its list of rules, implement `rewrite`, put it into `pipeline.PIPELINE` with its
reason, and add it to `tests/converters/passes` (the tests of idempotence and meaning loop over the
pipeline).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from bnas_deploy.converters.graph.nodes import Graph, same_graph
from bnas_deploy.errors import PassError

__all__ = ["Pass"]


class Pass(ABC):
    """A rewrite of a graph that keeps its meaning.

    Attributes:
        name: Verb and noun, as its file is called.
        absent_before: Operations that must not be in the graph it is given.
        absent_after: Operations that it leaves none of.
    """

    name: ClassVar[str]
    absent_before: ClassVar[frozenset[str]] = frozenset()
    absent_after: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def rewrite(self, graph: Graph) -> Graph:
        """Return the rewritten graph, or an equal one."""

    def requires(self, graph: Graph) -> None:
        """Check what the pass needs.

        Raises:
            PassError: The graph has an operation that the pass does not expect.
        """
        _refuse(graph, self.absent_before, "needs a graph without")

    def ensures(self, graph: Graph) -> None:
        """Check what the pass leaves.

        Raises:
            PassError: An operation is left over.
        """
        _refuse(graph, self.absent_after, "should have removed")

    def __call__(self, graph: Graph) -> tuple[Graph, bool]:
        """Run the pass; the flag says whether the graph was modified.

        Raises:
            PassError: `requires` or `ensures` does not hold.
            ConversionError: The graph breaks an invariant afterwards.
        """
        self.requires(graph)
        result = self.rewrite(graph)
        result.check()
        self.ensures(result)
        modified = not same_graph(graph, result)
        return (result if modified else graph), modified


def _refuse(graph: Graph, operations: frozenset[str], what: str) -> None:
    found = [node.name for node in graph.nodes if node.op in operations]
    if found:
        msg = f"{what} {', '.join(sorted(operations))}; found {', '.join(found[:5])}"
        raise PassError(msg)
