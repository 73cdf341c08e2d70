"""Where in the graph lies what the nodes of a model make, and how it is laid out there."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.model import OperatorNode
from bnas_deploy.converters.packing.source import Inside
from bnas_deploy.converters.signs.flow import Flow
from bnas_deploy.converters.signs.order import elements

__all__ = ["RunInside", "inside_of", "places"]

Floats = npt.NDArray[np.float32]

RunInside = Callable[[Floats, Sequence[str]], Mapping[str, Array]]
"""Takes inputs (N, C, H, W) and names of nodes; gives what each node makes, as the model has it."""


def places(
    nodes: Sequence[OperatorNode], values: Mapping[str, object], needed: Collection[str]
) -> dict[str, Flow]:
    """Return the places of what nodes make, floats alone: signs have none of their own.

    Args:
        nodes: Of the model.
        values: What each value of the model is.
        needed: The graph's values that its output needs.
    """
    found: dict[str, Flow] = {}
    for node in nodes:
        flow = values.get(node.outputs[0])
        if isinstance(flow, Flow) and flow.name in needed and _whole(flow):
            found[node.name] = flow
    return found


def _whole(flow: Flow) -> bool:
    """Whether the graph's value has all that the model's has, and is no sign."""
    same = math.prod(flow.dims) == math.prod(flow.shape)
    return same and flow.levels is None and not any(flow.pads)


def inside_of(found: Mapping[str, Flow], run: RunInside) -> Inside:
    """Return the values inside an original, for its self-check.

    Args:
        found: The places of its nodes.
        run: Runs the original.
    """
    return Inside({name: flow.name for name, flow in found.items()}, partial(_run, found, run))


def _run(
    found: Mapping[str, Flow], run: RunInside, images: Floats, names: Sequence[str]
) -> dict[str, Floats]:
    made = run(images, names)
    return {name: _placed(np.asarray(array), found[name]) for name, array in made.items()}


def _placed(array: Array, flow: Flow) -> Floats:
    flat = array.astype(np.float32).reshape(len(array), -1)
    return elements(flat, flow.order, flow.shape)
