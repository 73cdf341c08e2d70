"""A checkpoint of the authors' release as a graph, in the release's semantics.

What differs from our own networks (`from_torch`): sign(0) is 0, for activations and weights, and
the last two binary convolutions have weights that were never binarized: the release numbers every
convolution, those of shortcuts too, but bounds the numbers by the count without them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from bnas_deploy.converters.graph.builder import GraphBuilder
from bnas_deploy.converters.graph.nodes import Array, Graph
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.genotype import EDGES_PER_NODE, INPUT_STATES, NODES
from bnas_deploy.nn.quantize import binarize_weight, constrain_weight

__all__ = ["AS_STORED", "WITH_ZEROS", "ReleaseGraph", "release_graph"]

EPS = 1e-5
"""Of every BatchNorm of the release."""

AS_STORED = (
    "one of the last two binary convolutions: the release never binarizes their weights, so they"
    " are used as stored, on signs"
)
WITH_ZEROS = "some of its weights are exactly 0 after centring, and sign(0) is 0 in the release"

_POOLS = {"max_pool_3x3": "max_pool", "avg_pool_3x3": "avg_pool"}
_WINDOW = {"kernel": (3, 3), "padding": (1, 1, 1, 1)}


@dataclass(frozen=True)
class ReleaseGraph:
    """A graph, and what it left in floats beyond stem, shortcuts and classifier.

    Attributes:
        graph: For the passes.
        floats: The reason for each binary unit whose weights stay floats, by node.
        layers: The graph's value that each BatchNorm and binary unit makes, by its name in the
            state_dict.
    """

    graph: Graph
    floats: Mapping[str, str]
    layers: Mapping[str, str]


def release_graph(weights: Mapping[str, Tensor], config: NetworkConfig) -> ReleaseGraph:
    """Return the graph of a checkpoint.

    Args:
        weights: Checked, float32 (or float64, for tests), without prefix.
        config: What the network is made of.

    Raises:
        ConversionError: A number is not finite.
    """
    maker = _Maker(weights, config)
    s0, s1 = maker.stem()
    for index in range(config.layers):
        s0, s1 = s1, maker.cell(index, s0, s1)
    build = maker.build
    pooled = build.add("global_avg_pool", "pool", (s1,))
    constants = maker.constants("classifier", "weight", "bias")
    logits = build.add("linear", "classifier", (pooled,), {}, constants)
    return ReleaseGraph(build.graph(logits), maker.floats, maker.layers)


@dataclass
class _Maker:
    """A graph while it is made."""

    weights: Mapping[str, Tensor]
    config: NetworkConfig
    floats: dict[str, str] = field(default_factory=dict)
    layers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        size = self.config.image_size
        self.build = GraphBuilder((3, size, size))
        units = [n for n in self.units() if f"{n}.op.0.weight" in self.weights]
        self.as_stored = set(units[-len(self.config.reductions) :])

    def units(self) -> list[str]:
        """Names of all binary units in the order of the modules."""
        return [
            f"cells.{index}.{part}"
            for index in range(self.config.layers)
            for part in (*self.inputs(index), *(f"_ops.{j}" for j in range(NODES * 2)))
        ]

    def inputs(self, index: int) -> tuple[str, str]:
        red = self.config.dataset == "imagenet" and index in self.config.reductions
        return ("preprocess0_red", "preprocess1_red") if red else ("preprocess0", "preprocess1")

    def array(self, name: str) -> Array:
        return self.weights[name].cpu().numpy()

    def constants(self, name: str, *parts: str) -> dict[str, Array]:
        return {part: self.array(f"{name}.{part}") for part in parts}

    def stem(self) -> tuple[str, str]:
        if self.config.dataset == "cifar10":
            x = self.norm("stem.bn", self.build.input, "stem.bn")
            x = self.conv("stem", x, self.constants("stem.op.0", "weight"), padding=1)
            x = self.relu("stem", x)
            return x, x
        x = self.halve("stem0.0", self.build.input)
        x = self.relu("stem0.1", self.norm("stem0.1", x, "stem0.1"))
        x = self.halve("stem0.3", x)
        s0 = self.norm("stem0.4", x, "stem0.4")
        x = self.halve("stem1.1", self.relu("stem1.0", s0))
        return s0, self.norm("stem1.2", x, "stem1.2")

    def halve(self, name: str, x: str) -> str:
        return self.conv(name, x, self.constants(name, "weight"), stride=2, padding=1)

    def cell(self, index: int, s0: str, s1: str) -> str:
        reduction = index in self.config.reductions
        halved = index - 1 in self.config.reductions
        halved = halved or (index == 0 and self.config.dataset == "imagenet")
        name, (first, second) = f"cell{index}", self.inputs(index)
        window: dict[str, int] = {"stride": 2, "padding": 1} if halved else {}
        states = [
            self.unit(f"cells.{index}.{first}", s0, f"{name}.preprocess0", **window),
            self.unit(f"cells.{index}.{second}", s1, f"{name}.preprocess1"),
        ]
        for node in range(NODES):
            own = range(EDGES_PER_NODE * node, EDGES_PER_NODE * (node + 1))
            ends = tuple(self.edge(index, j, states) for j in own)
            states.append(self.build.add("add", f"{name}.state{INPUT_STATES + node}", ends))
        joined = self.build.add("concat", f"{name}.concat", tuple(states[INPUT_STATES:]))
        if index == 0:
            return joined
        skip = self.shortcut(index, s1, name) if reduction else s1
        return self.build.add("add", f"{name}.out", (joined, skip))

    def edge(self, index: int, j: int, states: list[str]) -> str:
        reduction = index in self.config.reductions
        primitive, source = self.config.genotype.cell(reduction=reduction)[j]
        stride = 2 if reduction and source < INPUT_STATES else 1
        x, name = states[source], f"cell{index}.edge{j}"
        if primitive == "none":
            c, h, w = self.build.values[x].shape
            return self.build.add(
                "zero", name, (), {"shape": (c, -(-h // stride), -(-w // stride))}
            )
        if primitive in _POOLS:
            attributes = {**_WINDOW, "stride": (stride, stride)}
            return self.build.add(_POOLS[primitive], name, (x,), attributes)
        dilation = 2 if "_dil_" in primitive else 1
        padding = dilation * (self.array(f"cells.{index}._ops.{j}.op.0.weight").shape[2] // 2)
        window = {"stride": stride, "padding": padding, "dilation": dilation}
        return self.unit(f"cells.{index}._ops.{j}", x, name, **window)

    def shortcut(self, index: int, x: str, name: str) -> str:
        source = f"cells.{index}.preprocess_res"
        x = self.norm(f"{source}.0", x, f"{name}.shortcut.0")
        constants = self.constants(f"{source}.1", "weight", "bias")
        return self.conv(f"{name}.shortcut.1", x, constants, stride=2)

    def unit(self, source: str, x: str, name: str, **window: int) -> str:
        """BatchNorm, sign, convolution, ReLU."""
        self.layers[source] = self.convolved(source, x, name, **window)
        return self.layers[source]

    def convolved(self, source: str, x: str, name: str, **window: int) -> str:
        x = self.norm(f"{source}.bn", self.without_dead(f"{source}.bn", x), f"{name}.bn")
        bits = self.build.add("sign", f"{name}.bits", (x,), {"zero_sign": 0})
        latent = self.weights[f"{source}.op.0.weight"]
        sign, beta = binarize_weight(latent)
        zeros = (constrain_weight(latent) == 0) & (beta[:, None, None, None] > 0)
        if source not in self.as_stored and not zeros.any():
            constants = {"weight": sign.numpy().astype(np.int8), "scale": beta.numpy()}
            attributes = _geometry(**window)
            return self.relu(
                name, self.build.add("binary_conv", name, (bits,), attributes, constants)
            )
        weight = latent if source in self.as_stored else sign * ~zeros * beta[:, None, None, None]
        self.floats[name] = AS_STORED if source in self.as_stored else WITH_ZEROS
        signs = self.build.add("bits_to_float", f"{name}.signs", (bits,))
        return self.relu(name, self.conv(name, signs, {"weight": weight.numpy()}, **window))

    def without_dead(self, norm: str, x: str) -> str:
        """Zero the channels that a BatchNorm of weight and shift 0 makes 0 whatever they are."""
        if f"{norm}.weight" not in self.weights:
            return x
        dead = (self.array(f"{norm}.weight") == 0) & (self.array(f"{norm}.bias") == 0)
        if not dead.any():
            return x
        index = np.where(dead, -1, np.arange(len(dead))).astype(np.int32)
        name = norm.replace("cells.", "cell") + ".live"
        return self.build.add("select_channels", name, (x,), {}, {"index": index})

    def norm(self, source: str, x: str, name: str) -> str:
        constants = {
            "mean": self.array(f"{source}.running_mean"),
            "var": self.array(f"{source}.running_var"),
        }
        for part, default in (("weight", np.ones_like), ("bias", np.zeros_like)):
            given = f"{source}.{part}" in self.weights
            constants[part] = (
                self.array(f"{source}.{part}") if given else default(constants["mean"])
            )
        self.layers[source] = self.build.add("batch_norm", name, (x,), {"eps": EPS}, constants)
        return self.layers[source]

    def conv(self, name: str, x: str, constants: dict[str, Array], **window: int) -> str:
        return self.build.add("conv", name, (x,), _geometry(**window), constants)

    def relu(self, name: str, x: str) -> str:
        return self.build.add("relu", f"{name}.relu", (x,))


def _geometry(stride: int = 1, padding: int = 0, dilation: int = 1) -> dict[str, Any]:
    return {
        "stride": (stride, stride),
        "padding": (padding,) * 4,
        "dilation": (dilation, dilation),
        "activation": "none",
    }
