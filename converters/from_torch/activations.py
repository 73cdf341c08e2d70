"""Rules for the modules of activations: ReLU, learned shifts, and a slope for each channel."""

from __future__ import annotations

import numpy as np
from torch import nn

from bnas_deploy.converters.from_torch.rules import Rule, array
from bnas_deploy.converters.graph.builder import GraphBuilder
from bnas_deploy.nn.activations import CellPReLU, Shift

__all__ = ["RULES_OF_ACTIVATIONS"]


def _relu(build: GraphBuilder, module: nn.ReLU, x: str, name: str) -> str:
    return build.add("relu", name, (x,))


def _shift(build: GraphBuilder, module: Shift, x: str, name: str) -> str:
    shift = array(module.shift)
    ones, zeros = np.ones_like(shift), np.zeros_like(shift)
    constants = {"weight": ones, "bias": shift, "mean": zeros, "var": ones}
    return build.add("batch_norm", name, (x,), {"eps": 0.0}, constants)


def _cell_prelu(build: GraphBuilder, module: CellPReLU, x: str, name: str) -> str:
    return build.add("prelu", name, (x,), {}, {"slope": array(module.weight)})


RULES_OF_ACTIVATIONS: dict[type[nn.Module], Rule] = {
    nn.ReLU: _relu,
    Shift: _shift,
    CellPReLU: _cell_prelu,
}
