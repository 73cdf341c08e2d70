"""Moves a BatchNorm or PReLU behind the pooling that reads it."""

from __future__ import annotations

from dataclasses import replace

from bnas_deploy.converters.graph.nodes import Graph, Node
from bnas_deploy.converters.passes.base import Pass

__all__ = ["PoolFirst"]


class PoolFirst(Pass):
    """avg_pool(batch_norm(x)) becomes batch_norm(avg_pool(x)), if signs at most read the first too.

    The average counts no padding, so that a scale and a shift commute with it at borders too: exact
    in real arithmetic, another rounding of the same number in floats. The BatchNorm then works on
    the small image (a quarter of it, in a shortcut), and stands beside a convolution behind the
    pool, which can take it in without a border that spoils it (`fold_batchnorm`). A sign keeps the
    first BatchNorm, which becomes its threshold.

    max_pool(prelu(x)) becomes prelu(max_pool(x)) where no slope is negative, if nobody else reads
    the first and the pool makes the image smaller: the largest stays the largest, to the bit.
    """

    name = "pool_first"
    absent_before = frozenset({"packed_conv", "binarize", "add_slice"})

    def rewrite(self, graph: Graph) -> Graph:
        """Swap one pair at a time, as pools may follow each other."""
        while True:
            for node in graph.nodes:
                pool = _sole_pool(graph, node)
                if pool is not None:
                    graph = _swapped(graph, node, pool)
                    break
            else:
                return graph


def _sole_pool(graph: Graph, norm: Node) -> Node | None:
    if norm.op == "prelu":
        reader = graph.only_reader(norm.output)
        smaller = (
            reader is not None and reader.op == "max_pool" and max(reader.attributes["stride"])
        )
        rises = bool((norm.constants["slope"] >= 0).all())
        return reader if rises and smaller and smaller > 1 else None
    if norm.op != "batch_norm" or norm.output == graph.output:
        return None
    others = [reader for reader in graph.readers[norm.output] if reader.op != "sign"]
    (pool,) = others if len(others) == 1 else (None,)
    return pool if pool is not None and pool.op in ("avg_pool", "global_avg_pool") else None


def _swapped(graph: Graph, norm: Node, pool: Node) -> Graph:
    pooled = f"{pool.output}.raw"
    shared = graph.only_reader(norm.output) is None
    name = f"{pool.name}.{norm.name}" if shared else norm.name
    first = replace(pool, inputs=norm.inputs, outputs=(pooled,))
    second = replace(norm, name=name, inputs=(pooled,), outputs=pool.outputs)
    nodes: list[Node] = []
    for node in graph.nodes:
        if node is pool:
            nodes += [first, second]
        elif shared or node is not norm:
            nodes.append(node)
    return graph.with_nodes(nodes)
