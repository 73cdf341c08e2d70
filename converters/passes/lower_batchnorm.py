"""Turns the BatchNorms that are left into a scale and a shift."""

from __future__ import annotations

from bnas_deploy.converters.graph.nodes import Graph, Node
from bnas_deploy.converters.graph.numerics import batch_norm_terms
from bnas_deploy.converters.passes.base import Pass

__all__ = ["LowerBatchnorm"]


class LowerBatchnorm(Pass):
    """batch_norm(x) becomes affine(x) with scale and shift rounded as PyTorch does."""

    name = "lower_batchnorm"
    absent_after = frozenset({"batch_norm"})

    def rewrite(self, graph: Graph) -> Graph:
        """Replace each node by its affine twin."""
        return graph.with_nodes(_lower(n) if n.op == "batch_norm" else n for n in graph.nodes)


def _lower(norm: Node) -> Node:
    alpha, beta = batch_norm_terms(**norm.constants, eps=norm.attributes["eps"])
    return Node("affine", norm.name, norm.inputs, norm.outputs, {}, {"scale": alpha, "shift": beta})
