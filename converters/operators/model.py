"""A model in ONNX's standard operators: what front ends give to `operator_graph`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bnas_deploy.converters.graph.nodes import Array

__all__ = ["Compute", "OperatorModel", "OperatorNode"]


@dataclass(frozen=True)
class OperatorNode:
    """One node, its attributes as plain Python values and arrays.

    Attributes:
        name: For messages; unique.
        op: The operator, without its domain.
        domain: Empty for standard operators.
        inputs: Names; empty where an optional one is left out.
        outputs: Names; empty where an optional one is left out.
        attributes: By name.
        origin: What the front end read it from, if it needs that again.
        refused: Reason and remedy, where the front end found no standard operators for it.
    """

    name: str
    op: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    origin: Any = None
    refused: tuple[str, str] | None = None


Compute = Callable[[Sequence[OperatorNode], Mapping[str, Array], Sequence[str]], list[Array]]
"""Computes wanted values, by name, of nodes in an order in which they can run and known arrays.

It raises `CannotConvert` where it cannot.
"""

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, kw_only=True)
class OperatorModel:
    """A model as its front end read it.

    Attributes:
        nodes: In an order in which they can run.
        constants: Arrays that the nodes read, by name.
        input: Name of the one input.
        batch: Its fixed batch size; None if it is dynamic.
        dims: Its other extents.
        channels_last: Whether they are (H, W, C), as what reads the input turns it.
        inferred_last: Whether the extents of `infer` are (H, W, C).
        output: Name of the one output.
        opset: Of the standard operators.
        compute: Computes what depends on constants alone.
        infer: Gives the extents behind the batch of values, where they are known; asked once, after
            an obstacle or for what stands behind the logits.
    """

    nodes: tuple[OperatorNode, ...]
    constants: Mapping[str, Array]
    input: str
    batch: int | None
    dims: tuple[int, ...]
    output: str
    opset: int
    compute: Compute
    infer: Callable[[], Shapes] = dict
    channels_last: bool = False
    inferred_last: bool = False

    @property
    def image(self) -> tuple[int, int, int]:
        """(C, H, W) of the input; (K, 1, 1) for vectors."""
        if len(self.dims) == 1:
            return self.dims[0], 1, 1
        a, b, c = self.dims
        return (c, a, b) if self.channels_last else (a, b, c)

    @cached_property
    def shapes(self) -> Shapes:
        """Extents behind the batch of values, where they are known."""
        return self.infer()
