"""Graphs of a few nodes for the tests of passes: random constants, and the check of meaning."""

from __future__ import annotations

import numpy as np

from bnas_deploy.converters.graph.builder import GraphBuilder
from bnas_deploy.converters.graph.evaluate import evaluate, trace
from bnas_deploy.converters.graph.nodes import Graph
from bnas_deploy.converters.passes.base import Pass

TOLERANCE = 1e-11  # these graphs are in float64


class SmallGraph(GraphBuilder):
    """A `GraphBuilder` with one method for each operation; constants are random, in float64."""

    def __init__(self, shape=(3, 6, 5), seed=0):
        super().__init__(shape)
        self.rng = np.random.default_rng(seed)

    def channels(self, x):
        return self.values[x].shape[0]

    def zero(self, name, shape):
        return self.add("zero", name, (), {"shape": shape})

    def norm(self, name, x):
        c = self.channels(x)
        constants = {
            "weight": self.rng.normal(size=c),
            "bias": self.rng.normal(size=c),
            "mean": self.rng.normal(size=c),
            "var": self.rng.random(c) + 0.1,
        }
        return self.add("batch_norm", name, (x,), {"eps": 1e-5}, constants)

    def sign(self, name, x, zero_sign=1):
        return self.add("sign", name, (x,), {"zero_sign": zero_sign})

    def relu(self, name, x):
        return self.add("relu", name, (x,))

    def plus(self, name, x, y):
        return self.add("add", name, (x, y))

    def concat(self, name, *parts):
        return self.add("concat", name, parts)

    def select(self, name, x, index):
        return self.add("select_channels", name, (x,), {}, {"index": np.array(index, np.int32)})

    def prelu(self, name, x, least=-1.0):
        slope = self.rng.uniform(least, 1, self.channels(x))
        return self.add("prelu", name, (x,), {}, {"slope": slope})

    def clip(self, name, x):
        c = self.channels(x)
        low, high = np.sort(self.rng.normal(size=(2, c)), axis=0)
        low[::2], high[1::3] = -np.inf, np.inf
        return self.add("clip", name, (x,), {}, {"low": low, "high": high})

    def sigmoid(self, name, x):
        return self.add("sigmoid", name, (x,))

    def hard_sigmoid(self, name, x):
        terms = np.array([self.rng.normal(), self.rng.random()])
        return self.add("hard_sigmoid", name, (x,), {}, {"terms": terms})

    def scaled(self, name, x, scale):
        c = self.channels(x)
        zeros, ones = np.zeros(c), np.ones(c)
        constants = {"weight": scale * ones, "bias": zeros, "mean": zeros, "var": ones}
        return self.add("batch_norm", name, (x,), {"eps": 0.0}, constants)

    def constant(self, name, shape):
        return self.add("constant", name, (), {}, {"value": self.rng.normal(size=shape)})

    def affine(self, name, x):
        c = self.channels(x)
        constants = {"scale": self.rng.normal(size=c), "shift": self.rng.normal(size=c)}
        return self.add("affine", name, (x,), {}, constants)

    def conv(
        self, name, x, outputs, kernel=3, *, padding=1, bias=True, activation="none", groups=1
    ):
        weight = self.rng.normal(size=(outputs, self.channels(x) // groups, kernel, kernel))
        constants = {"weight": weight}
        if bias:
            constants["bias"] = self.rng.normal(size=outputs)
        return self.add("conv", name, (x,), _geometry(padding, activation), constants)

    def depthwise(self, name, x, kernel=3, *, padding=1):
        c = self.channels(x)
        constants = {
            "weight": self.rng.choice([-1, 1], (c, 1, kernel, kernel)).astype(np.int8),
            "scale": self.rng.random(c),
        }
        return self.add("binary_depthwise", name, (x,), _geometry(padding, "none"), constants)

    def magnitude(self, name, x):
        c = self.channels(x)
        constants = {
            "scale": self.rng.normal(size=c),
            "shift": self.rng.normal(size=c),
            "terms": np.array([1 / c, 0.0]),
        }
        return self.add("mean_magnitude", name, (x,), {}, constants)

    def times(self, name, x, factor):
        return self.add("multiply", name, (x, factor))

    def binary(
        self, name, x, outputs, kernel=3, *, padding=1, activation="none", fold=False, groups=1
    ):
        shape = (outputs, self.channels(x) // groups, kernel, kernel)
        constants = {
            "weight": self.rng.choice(np.array([-1, 1], np.int8), size=shape),
            "scale": self.rng.random(outputs),
        }
        if fold:
            taps = (outputs, kernel, kernel)
            constants["fold"] = self.rng.integers(-3, 4, taps).astype(np.int32)
        return self.add("binary_conv", name, (x,), _geometry(padding, activation), constants)

    def unit(self, name, x, outputs, kernel=3, *, padding=1):
        """BatchNorm, sign, binary convolution, ReLU."""
        x = self.sign(f"{name}.bits", self.norm(f"{name}.bn", x))
        dot = self.binary(name, x, outputs, kernel, padding=padding)
        return self.relu(f"{name}.relu", dot)

    def pool(self, name, x, op="max_pool", stride=1):
        window = {"kernel": (3, 3), "stride": (stride, stride), "padding": (1, 1, 1, 1)}
        return self.add(op, name, (x,), window)

    def mean(self, name, x):
        return self.add("global_avg_pool", name, (x,))

    def linear(self, name, x, outputs):
        k = int(np.prod(self.values[x].shape))
        weight, bias = self.rng.normal(size=(outputs, k)), self.rng.normal(size=outputs)
        return self.add("linear", name, (x,), {}, {"weight": weight, "bias": bias})


def _geometry(padding, activation):
    return {
        "stride": (1, 1),
        "padding": (padding,) * 4,
        "dilation": (1, 1),
        "activation": activation,
    }


def images_like(graph: Graph, count: int = 3, seed: int = 1):
    return np.random.default_rng(seed).normal(size=(count, *graph.input_shape))


def same_meaning(before: Graph, after: Graph) -> bool:
    """Whether two graphs give the same result (bits exactly, floats within `TOLERANCE`)."""
    images = images_like(before)
    return bool(np.abs(evaluate(before, images) - evaluate(after, images)).max() <= TOLERANCE)


def run_pass(step: Pass, graph: Graph) -> Graph:
    """Run a pass that must modify the graph, keep its meaning, and be idempotent."""
    result, modified = step(graph)
    assert modified
    assert same_meaning(graph, result)
    assert not np.isnan(next(reversed(trace(result, images_like(graph)).values()))).any()
    again, modified_again = step(result)
    assert again is result
    assert not modified_again
    return result


def untouched(step: Pass, graph: Graph) -> bool:
    """Whether a pass leaves a graph alone."""
    result, modified = step(graph)
    return result is graph and not modified


def ops_of(graph: Graph) -> list[str]:
    return [node.op for node in graph.nodes]


def node(graph: Graph, name: str):
    (found,) = [n for n in graph.nodes if n.name == name]
    return found
