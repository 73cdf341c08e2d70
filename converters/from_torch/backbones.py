"""Rules for the modules of backbone networks: units of any scheme, and what holds them together.

Nothing here knows a scheme: each gives its inference form as `Branch`es, which are binary
convolutions of shifted signs, added up.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from bnas_deploy.backbones.network import BackboneNetwork
from bnas_deploy.backbones.parts import Appended, FloatUnitConv2d, Sum, Unit
from bnas_deploy.backbones.schemes.base import Branch, SchemeConv2d
from bnas_deploy.backbones.senet import Excitation
from bnas_deploy.converters.from_torch.activation_scale import conv_geometry
from bnas_deploy.converters.from_torch.rules import (
    Rule,
    array,
    batch_norm,
    classified,
    linear,
    module_graph,
)
from bnas_deploy.converters.graph.builder import GraphBuilder
from bnas_deploy.converters.graph.nodes import Array

__all__ = ["RULES_OF_BACKBONES"]


def _network(build: GraphBuilder, network: BackboneNetwork, image: str, name: str) -> str:
    stem = module_graph(build, network.stem, image, "stem")
    stages = module_graph(build, network.stages, stem, "stages")
    return classified(build, module_graph(build, network.tail, stages, "tail"), network.classifier)


def _sum(build: GraphBuilder, module: Sum, x: str, name: str) -> str:
    body = module_graph(build, module.body, x, name)
    shortcut = module_graph(build, module.shortcut, x, f"{name}.downsample")
    return build.add("add", f"{name}.out", (body, shortcut))


def _appended(build: GraphBuilder, module: Appended, x: str, name: str) -> str:
    body = module_graph(build, module.body, x, name)
    return build.add("concat", f"{name}.out", (x, body))


def _unit(build: GraphBuilder, unit: Unit, x: str, name: str) -> str:
    conv = unit.conv
    if not isinstance(conv, SchemeConv2d):
        x = module_graph(build, unit.before, x, f"{name}.bn")
        x = module_graph(build, conv, x, name)
    else:
        x = _scheme_conv(build, unit.before, conv, x, name)
    return module_graph(build, unit.after, x, f"{name}.after")


def _scheme_conv(
    build: GraphBuilder, before: nn.Module, conv: SchemeConv2d, x: str, name: str
) -> str:
    with torch.no_grad():
        branches = conv.branches()
    parts: list[str] = []
    for i, branch in enumerate(branches):
        part = f"{name}.branch{i}" if len(branches) > 1 else name
        bits = _bits(build, before, branch, x, part)
        parts += _products(build, conv, branch, bits, part)
    total = parts[0]
    for i, product in enumerate(parts[1:], start=1):
        total = build.add("add", f"{name}.sum{i}", (total, product))
    return _times_map(build, conv.pixel_factors(), total, name)


def _times_map(build: GraphBuilder, factors: torch.Tensor | None, x: str, name: str) -> str:
    if factors is None:
        return x
    constant = build.add("constant", f"{name}.map", (), {}, {"value": array(factors)[None]})
    return build.add("multiply", f"{name}.scaled", (x, constant))


def _bits(build: GraphBuilder, before: nn.Module, branch: Branch, x: str, name: str) -> str:
    if branch.shift is None:
        x = module_graph(build, before, x, f"{name}.bn")
    else:
        x = _shifted(build, before, array(branch.shift), x, name)
    return build.add("sign", f"{name}.bits", (x,), {"zero_sign": 1})


def _products(
    build: GraphBuilder, conv: SchemeConv2d, branch: Branch, bits: str, name: str
) -> list[str]:
    found = []
    for i, (sign, scale) in enumerate(branch.kernels):
        part = f"{name}.kernel{i}" if len(branch.kernels) > 1 else name
        constants = {"weight": array(sign).astype(np.int8), "scale": array(scale)}
        found.append(build.add("binary_conv", part, (bits,), conv_geometry(conv), constants))
    return found


def _shifted(build: GraphBuilder, norm: nn.Module, shift: Array, x: str, name: str) -> str:
    """Append a BatchNorm and a shift behind it, which together are a BatchNorm."""
    if isinstance(norm, nn.BatchNorm2d):
        attributes, constants = batch_norm(norm, name)
        constants["bias"] = constants["bias"] + shift
        return build.add("batch_norm", f"{name}.bn", (x,), attributes, constants)
    ones, zeros = np.ones_like(shift), np.zeros_like(shift)
    constants = {"weight": ones, "bias": shift, "mean": zeros, "var": ones}
    return build.add("batch_norm", f"{name}.bn", (x,), {"eps": 0.0}, constants)


def _float_conv(build: GraphBuilder, conv: FloatUnitConv2d, x: str, name: str) -> str:
    x = build.add("relu", f"{name}.relu", (x,))
    return build.add("conv", name, (x,), conv_geometry(conv), {"weight": array(conv.weight)})


def _excitation(build: GraphBuilder, module: Excitation, x: str, name: str) -> str:
    y = build.add("global_avg_pool", f"{name}.pool", (x,))
    y = linear(build, module.squeeze, y, f"{name}.squeeze")
    y = build.add("relu", f"{name}.relu", (y,))
    y = linear(build, module.excite, y, f"{name}.excite")
    y = build.add("sigmoid", f"{name}.sigmoid", (y,))
    return build.add("multiply", f"{name}.scaled", (x, y))


def _prelu(build: GraphBuilder, module: nn.PReLU, x: str, name: str) -> str:
    slope = np.broadcast_to(array(module.weight), build.values[x].shape[:1])
    return build.add("prelu", name, (x,), {}, {"slope": slope})


RULES_OF_BACKBONES: dict[type[nn.Module], Rule] = {
    BackboneNetwork: _network,
    Sum: _sum,
    Appended: _appended,
    Unit: _unit,
    FloatUnitConv2d: _float_conv,
    Excitation: _excitation,
    nn.PReLU: _prelu,
}
