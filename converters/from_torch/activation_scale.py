"""The activation scale K of Eq. 3 as nodes of a graph."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import nn

from bnas_deploy.converters.graph.builder import GraphBuilder
from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.graph.numerics import batch_norm_terms

__all__ = ["BOX_FILTER", "conv_geometry", "scale_by_box", "scaled_by_activations"]

BOX_FILTER = ".activations"
"""How the name of the box filter of an activation scale ends."""


def conv_geometry(conv: nn.Conv2d) -> dict[str, Any]:
    """Return the attributes of a convolution whose padding is given in pixels."""
    y, x = (int(p) for p in conv.padding)
    return {
        "stride": conv.stride,
        "padding": (y, x, y, x),
        "dilation": conv.dilation,
        "activation": "none",
    }


def scaled_by_activations(
    build: GraphBuilder, y: str, norm: str, conv: nn.Conv2d, name: str
) -> str:
    """Multiply what a binary convolution makes by K of what it reads the signs of.

    Args:
        build: The graph so far.
        y: The convolution's value, (O, H', W').
        norm: The BatchNorm in front of the sign, (C, H, W).
        conv: Gives the window.
        name: Prefix of the new nodes.
    """
    kh, kw = conv.kernel_size
    box = np.full((1, 1, kh, kw), 1 / (kh * kw))
    return scale_by_box(build, y, norm, box, conv_geometry(conv), name)


def scale_by_box(
    build: GraphBuilder, y: str, norm: str, box: Array, geometry: dict[str, Any], name: str
) -> str:
    """Multiply y by the mean magnitude behind a BatchNorm, filtered by `box`, (1, 1, kh, kw)."""
    node = next(node for node in build.nodes if node.name == norm)
    alpha, beta = batch_norm_terms(**node.constants, eps=node.attributes["eps"])
    terms = np.array([1 / len(alpha), 0], alpha.dtype)
    constants = {"scale": alpha, "shift": beta, "terms": terms}
    mean = build.add("mean_magnitude", f"{name}.magnitude", node.inputs, {}, constants)
    if box.size == 1 and geometry["stride"] == (1, 1):  # which would change nothing
        return build.add("multiply", f"{name}.scaled", (y, mean))
    weight = {"weight": box.astype(alpha.dtype)}
    k = build.add("conv", f"{name}{BOX_FILTER}", (mean,), dict(geometry), weight)
    return build.add("multiply", f"{name}.scaled", (y, k))
