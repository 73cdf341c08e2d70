"""A network of PyTorch modules as a graph, module by module.

Nothing is left out, not even Zeroise edges and units whose output is unused: the passes remove
them. Other front ends make the same kind of graph from other sources.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch import nn

from bnas_deploy.converters.from_torch.activation_scale import (
    conv_geometry,
    scale_by_box,
    scaled_by_activations,
)
from bnas_deploy.converters.from_torch.activations import RULES_OF_ACTIVATIONS
from bnas_deploy.converters.from_torch.backbones import RULES_OF_BACKBONES
from bnas_deploy.converters.from_torch.rules import (
    RULES,
    array,
    batch_norm,
    classified,
    module_graph,
)
from bnas_deploy.converters.graph.builder import GraphBuilder
from bnas_deploy.converters.graph.nodes import Array, Graph
from bnas_deploy.errors import ConversionError
from bnas_deploy.networks.build import AnyNetwork
from bnas_deploy.nn.cell import Cell
from bnas_deploy.nn.genotype import EDGES_PER_NODE, INPUT_STATES, NODES
from bnas_deploy.nn.layers import BinaryConv2d, ConvUnit, FloatConv2d
from bnas_deploy.nn.network import Network, StackNetwork
from bnas_deploy.nn.primitives import Zeroise
from bnas_deploy.nn.quantize import binarize_weight
from bnas_deploy.nn.separable import SeparableConv
from bnas_deploy.nn.shortcuts import (
    BinaryShortcut,
    ConvShortcut,
    PooledConvShortcut,
    PooledShortcut,
    RepeatParts,
)
from bnas_deploy.nn.skip_connect import FactorizedReduction

__all__ = ["module_graph", "network_graph", "network_graph_and_modules"]


def network_graph(network: AnyNetwork, *, allow_float: bool = False) -> Graph:
    """Return the graph of a network in evaluation mode, its constants in the parameters' dtype.

    Args:
        network: Any weights.
        allow_float: Whether it may be the float counterpart of a binary network.

    Raises:
        ConversionError: The network is not binary, or has a module or setting with no meaning here.
    """
    return network_graph_and_modules(network, allow_float=allow_float)[0]


def network_graph_and_modules(
    network: AnyNetwork, *, allow_float: bool = False
) -> tuple[Graph, dict[str, nn.Module]]:
    """Return the same graph, and the module that makes each of its values, for those that have one.

    Raises:
        ConversionError: As for `network_graph`.
    """
    if not (network.binary or allow_float):
        msg = "the network is a float one (binary=False); train a binary network to export it"
        raise ConversionError(msg)
    size = network.config.image_size
    build = GraphBuilder((3, size, size))
    graph = build.graph(module_graph(build, network, build.input, network.config.name))
    return graph, cast("dict[str, nn.Module]", build.origins)


def _cells(build: GraphBuilder, network: Network, image: str, name: str) -> str:
    s0, s1 = _stem(build, network)
    for index, cell in enumerate(network.cells):
        s0, s1 = s1, _cell(build, cast("Cell", cell), s0, s1, f"cell{index}")
        build.origins[s1] = cell
    return classified(build, s1, network.classifier)


def _stack(build: GraphBuilder, network: StackNetwork, image: str, name: str) -> str:
    msg = "the network is a stack of layers (Table 1); only one of cells can be exported"
    raise ConversionError(msg)


def _stem(build: GraphBuilder, network: Network) -> tuple[str, str]:
    if network.config.dataset == "cifar10":
        stem = module_graph(build, network.stem, build.input, "stem")
        return stem, stem
    first = module_graph(build, network.stem0, build.input, "stem0")
    return first, module_graph(build, network.stem1, first, "stem1")


def _cell(build: GraphBuilder, cell: Cell, s0: str, s1: str, name: str) -> str:
    unit0, unit1 = cell.inputs
    states = [
        module_graph(build, unit0, s0, f"{name}.preprocess0"),
        module_graph(build, unit1, s1, f"{name}.preprocess1"),
    ]
    for node in range(NODES):
        ends = []
        for j in range(EDGES_PER_NODE * node, EDGES_PER_NODE * (node + 1)):
            source = states[cell.edges[j][1]]
            ends.append(module_graph(build, cell.ops[j], source, f"{name}.edge{j}"))
        states.append(build.add("add", f"{name}.state{INPUT_STATES + node}", tuple(ends)))
    out = _with_skip(build, cell, tuple(states[INPUT_STATES:]), s1, name)
    if cell.activation is None:
        return out
    return module_graph(build, cell.activation, out, f"{name}.activation")


def _with_skip(build: GraphBuilder, cell: Cell, nodes: tuple[str, ...], s1: str, name: str) -> str:
    joined = build.add("concat", f"{name}.concat", nodes)
    if not cell.shape.skip:
        return joined
    skip = s1
    if cell.shape.reduction:
        skip = module_graph(build, cell.preprocess_res, s1, f"{name}.shortcut")
    return build.add("add", f"{name}.out", (joined, skip))


def _sequential(build: GraphBuilder, module: nn.Sequential, x: str, name: str) -> str:
    for index, part in enumerate(module):
        x = module_graph(build, part, x, f"{name}.{index}")
    return x


def _unit(build: GraphBuilder, unit: ConvUnit, x: str, name: str) -> str:
    x = module_graph(build, unit.bn, x, f"{name}.bn")
    normalised = x
    if unit.binary:
        x = build.add("sign", f"{name}.bits", (x,), {"zero_sign": 1})
    x = module_graph(build, unit.conv, x, name)
    for part in list(unit.op)[1:]:
        x = module_graph(build, part, x, f"{name}.{type(part).__name__.lower()}")
    if not (unit.binary and unit.scaled):
        return x
    return scaled_by_activations(build, x, normalised, unit.conv, name)


def _batch_norm(build: GraphBuilder, norm: nn.BatchNorm2d, x: str, name: str) -> str:
    return build.add("batch_norm", name, (x,), *batch_norm(norm, name))


def _geometry(conv: nn.Conv2d, name: str, groups: int = 1) -> dict[str, Any]:
    if conv.groups != groups or conv.padding_mode != "zeros" or isinstance(conv.padding, str):
        msg = (
            f"{name}: only convolutions of one group, or binary depthwise ones, with zero padding"
            f" given in pixels; got {conv}"
        )
        raise ConversionError(msg)
    return conv_geometry(conv)


def _conv(build: GraphBuilder, conv: nn.Conv2d, x: str, name: str) -> str:
    constants = {"weight": array(conv.weight)}
    if conv.bias is not None:
        constants["bias"] = array(conv.bias)
    return build.add("conv", name, (x,), _geometry(conv, name), constants)


def _binary_conv(build: GraphBuilder, conv: BinaryConv2d, x: str, name: str) -> str:
    constants = _binary_constants(conv)
    depthwise = conv.groups == conv.in_channels == conv.out_channels > 1
    attributes = _geometry(conv, name, conv.groups if depthwise else 1)
    op = "binary_depthwise" if depthwise else "binary_conv"
    return build.add(op, name, (x,), attributes, constants)


def _binary_constants(conv: BinaryConv2d) -> dict[str, Array]:
    with torch.no_grad():
        sign, beta = binarize_weight(conv.weight, centred=conv.centred)
    return {"weight": array(sign).astype(np.int8), "scale": array(beta)}


def _identity(build: GraphBuilder, module: nn.Identity, x: str, name: str) -> str:
    return x


def _factorized(build: GraphBuilder, unit: FactorizedReduction, x: str, name: str) -> str:
    normalised = module_graph(build, unit.bn, x, f"{name}.bn")
    bits = build.add("sign", f"{name}.bits", (normalised,), {"zero_sign": 1})
    halves = []
    for index, conv in enumerate(unit.parts):
        half = f"{name}.{index}"
        geometry, window = _geometry(conv, half), (1, 1)
        constants = _binary_constants(cast("BinaryConv2d", conv))
        if index:
            geometry, window = _one_pixel_further(build, x), (2, 2)
            constants["weight"] = np.repeat(np.repeat(constants["weight"], 2, 2), 2, 3)
        y = build.add("binary_conv", half, (bits,), geometry, constants)
        y = build.add("relu", f"{half}.relu", (y,))
        if unit.scaled:
            box = np.zeros((1, 1, *window))
            box[..., -1, -1] = 1
            y = scale_by_box(build, y, normalised, box, geometry, half)
        halves.append(y)
    return halves[0] if len(halves) == 1 else build.add("concat", name, tuple(halves))


def _one_pixel_further(build: GraphBuilder, x: str) -> dict[str, Any]:
    """Geometry of a 2x2 window of stride 2 of which only the last tap is inside the image."""
    _, h, w = build.values[x].shape
    # The first tap lies at 2y - h, above the image for every y, the last at 2y - h + (h + 1).
    return {
        "stride": (2, 2),
        "padding": (h, w, h % 2, w % 2),
        "dilation": (h + 1, w + 1),
        "activation": "none",
    }


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


def _pool(build: GraphBuilder, pool: nn.MaxPool2d | nn.AvgPool2d, x: str, name: str) -> str:
    op = "max_pool" if isinstance(pool, nn.MaxPool2d) else "avg_pool"
    y, width = _pair(pool.padding)
    counted = isinstance(pool, nn.AvgPool2d) and (y or width) and pool.count_include_pad
    dilated = isinstance(pool, nn.MaxPool2d) and _pair(pool.dilation) != (1, 1)
    if counted or dilated or pool.ceil_mode or getattr(pool, "divisor_override", None):
        msg = f"{name}: a pool must not count its padding, dilate or round up its size; got {pool}"
        raise ConversionError(msg)
    attributes = {
        "kernel": _pair(pool.kernel_size),
        "stride": _pair(pool.stride),
        "padding": (y, width, y, width),
    }
    return build.add(op, name, (x,), attributes)


def _zeroise(build: GraphBuilder, module: Zeroise, x: str, name: str) -> str:
    c, h, w = build.values[x].shape
    s = module.stride
    return build.add("zero", name, (), {"shape": (c, -(-h // s), -(-w // s))})


def _repeat(build: GraphBuilder, module: RepeatParts, x: str, name: str) -> str:
    if not module.index:
        shape = (module.out_channels, *build.values[x].shape[1:])
        return build.add("zero", name, (), {"shape": shape})
    index = np.array(module.index, np.int32)
    return build.add("select_channels", name, (x,), {}, {"index": index})


def _binary_shortcut(build: GraphBuilder, shortcut: BinaryShortcut, x: str, name: str) -> str:
    if not shortcut.live:
        _, h, w = build.values[x].shape
        shape = (shortcut.conv.out_channels, h // 2, w // 2)
        return build.add("zero", name, (), {"shape": shape})
    normalised = module_graph(build, shortcut.bn, x, f"{name}.0")
    x = build.add("sign", f"{name}.bits", (normalised,), {"zero_sign": 1})
    x = module_graph(build, shortcut.conv, x, f"{name}.1")
    if not shortcut.scaled:
        return x
    return scaled_by_activations(build, x, normalised, shortcut.conv, name)


RULES |= {
    nn.Sequential: _sequential,
    ConvShortcut: _sequential,
    PooledConvShortcut: _sequential,
    PooledShortcut: _sequential,
    BinaryShortcut: _binary_shortcut,
    SeparableConv: _sequential,
    FactorizedReduction: _factorized,
    RepeatParts: _repeat,
    ConvUnit: _unit,
    BinaryConv2d: _binary_conv,
    FloatConv2d: _conv,
    nn.Conv2d: _conv,
    nn.BatchNorm2d: _batch_norm,
    nn.MaxPool2d: _pool,
    nn.AvgPool2d: _pool,
    Zeroise: _zeroise,
    nn.Identity: _identity,
    Network: _cells,
    StackNetwork: _stack,
    **RULES_OF_ACTIVATIONS,
    **RULES_OF_BACKBONES,
}
