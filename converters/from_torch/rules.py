"""The table of how modules of PyTorch become graph nodes, by their type.

A type is looked up exactly: a subclass may compute something else than its base, so it has a rule
of its own or is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from bnas_deploy.converters.graph.builder import GraphBuilder
from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.errors import ConversionError

__all__ = ["RULES", "Rule", "array", "batch_norm", "classified", "linear", "module_graph"]

Rule = Callable[[GraphBuilder, Any, str, str], str]
"""Appends what a module does to a value, under a name, and returns its result."""

RULES: dict[type[nn.Module], Rule] = {}
"""Filled by the front ends of each kind of network."""


def module_graph(build: GraphBuilder, module: nn.Module, x: str, name: str) -> str:
    """Append what a module does to the value `x`, by its kind, and return its result.

    Raises:
        ConversionError: There is no rule for this kind of module, or for a setting of it.
    """
    rule = RULES.get(type(module))
    if rule is None:
        known = ", ".join(kind.__name__ for kind in RULES)
        msg = f"{name}: a module of type {type(module).__name__} cannot be exported; known: {known}"
        raise ConversionError(msg)
    value = rule(build, module, x, name)
    build.origins[value] = module  # of modules in each other the outermost
    return value


def array(tensor: torch.Tensor) -> Array:
    """Return a copy of a parameter's numbers.

    Raises:
        ConversionError: They are of another type than float32 (or float64, in tests).
    """
    if tensor.dtype not in (torch.float32, torch.float64):
        msg = f"parameters must be float32; got {tensor.dtype}; convert with network.float()"
        raise ConversionError(msg)
    return tensor.detach().cpu().numpy().copy()


def classified(build: GraphBuilder, features: str, classifier: nn.Linear) -> str:
    """Append global average pooling and a linear layer, which end every network of ours."""
    pooled = build.add("global_avg_pool", "pool", (features,))
    return linear(build, classifier, pooled, "classifier")


def linear(build: GraphBuilder, module: nn.Linear, x: str, name: str) -> str:
    """Append a linear layer with a bias."""
    constants = {"weight": array(module.weight), "bias": array(module.bias)}
    value = build.add("linear", name, (x,), {}, constants)
    build.origins[value] = module
    return value


def batch_norm(norm: nn.BatchNorm2d, name: str) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return attributes and constants of a BatchNorm in evaluation mode.

    Raises:
        ConversionError: It has no running statistics.
    """
    if norm.running_mean is None or norm.running_var is None:
        msg = f"{name}: a BatchNorm without running statistics cannot be exported"
        raise ConversionError(msg)
    mean, var = array(norm.running_mean), array(norm.running_var)
    weight = array(norm.weight) if norm.affine else np.ones_like(mean)
    bias = array(norm.bias) if norm.affine else np.zeros_like(mean)
    return {"eps": norm.eps}, {"weight": weight, "bias": bias, "mean": mean, "var": var}
