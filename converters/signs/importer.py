"""The state of an import, and the few graph nodes that several rules make; no rule of an operator.

Everything between two layers that is a scale and a shift a channel becomes one ``batch_norm``, so
that the passes find BatchNorm + sign however a model spells it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bnas_deploy.converters.graph.builder import GraphBuilder
from bnas_deploy.converters.graph.model_layer import ModelLayer
from bnas_deploy.converters.graph.nodes import Array, Node
from bnas_deploy.converters.graph.numerics import batch_norm_terms
from bnas_deploy.converters.signs.atoms import Atoms
from bnas_deploy.converters.signs.flow import Flow, Levels
from bnas_deploy.converters.signs.found import BinaryLayer, FloatLayer
from bnas_deploy.converters.signs.limits import VALUE_LIMIT
from bnas_deploy.converters.signs.obstacles import CannotConvert
from bnas_deploy.converters.signs.rising import Chain, Rising, chain_of
from bnas_deploy.converters.signs.sums import Sum

__all__ = ["Importer", "Pieces"]

_BINARY = ("binary_conv", "binary_depthwise")


@dataclass(frozen=True, eq=False)
class Pieces:
    """A value that is a number or another value, depending on a sign.

    Attributes:
        base: The graph value whose sign it is.
        levels: The numbers; NaN where it is the other value.
        rest: The other value.
    """

    base: str
    levels: Levels
    rest: Flow

    @property
    def some(self) -> bool:
        """Whether it is the other value anywhere."""
        return any(bool(np.isnan(x).any()) for x in self.levels.all)


@dataclass
class Importer:
    """A graph while ONNX nodes are added to it.

    Attributes:
        build: The graph so far.
        opset: Of the model.
        batch: Its fixed batch size, or None.
        sign_zero: `auto`, `exact` or `plus`; see docs/onnx.md.
        values: What each ONNX value is; None where an obstacle has hidden it.
        float_layers: Those found so far.
        binary_layers: Likewise.
        notes: What people should know about the import, and the graph value it is about; None for
            the whole model.
        expanded: Graph values that repeat another over channels or pixels, and that one.
        magnitudes: Graph values that are the absolute of another.
        steep: What graph values are a large multiple of.
        rising: Graph values that rise with another by a function that is not a node's.
        pieces: Graph values that were chosen by a sign.
        sums: Graph values that are sums of others.
        atoms: Numbers that graph values take often, of as many nodes as was asked for.
        unknown: Graph values that stand for what was not understood.
    """

    build: GraphBuilder
    opset: int
    batch: int | None
    sign_zero: str = "auto"
    values: dict[str, Flow | Array | None] = field(default_factory=dict)
    float_layers: list[FloatLayer] = field(default_factory=list)
    binary_layers: list[BinaryLayer] = field(default_factory=list)
    notes: list[tuple[str, str | None]] = field(default_factory=list)
    _scaled_to: dict[str, set[str]] = field(default_factory=dict)
    _made: set[str] = field(default_factory=set)
    expanded: dict[str, Flow] = field(default_factory=dict)
    magnitudes: dict[str, str] = field(default_factory=dict)
    steep: dict[str, Flow] = field(default_factory=dict)
    rising: dict[str, Rising] = field(default_factory=dict)
    pieces: dict[str, Pieces] = field(default_factory=dict)
    sums: dict[str, Sum] = field(default_factory=dict)
    atoms: dict[str, Atoms] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    _names: set[str] = field(default_factory=set)

    def fresh(self, name: str) -> str:
        """Return a name that no node or value has yet, beginning with the given one."""
        base, number = name, 1
        while name in self._names or name in self.build.values:
            number += 1
            name = f"{base}.{number}"
        self._names.add(name)
        return name

    def node(
        self,
        op: str,
        name: str,
        inputs: Sequence[str],
        attributes: Mapping[str, object] | None = None,
        constants: dict[str, Array] | None = None,
    ) -> str:
        """Return a node's value, an equal one's if there is one; float constants become float32."""
        stored = {
            key: array.astype(np.float32) if array.dtype.kind == "f" else array
            for key, array in (constants or {}).items()
        }
        value = self.build.add_once(
            op, lambda: self.fresh(name), tuple(inputs), dict(attributes or {}), stored
        )
        if math.prod(self.shape(value)) > VALUE_LIMIT:
            msg = f"makes a value of shape {list(self.shape(value))}"
            raise CannotConvert(msg, "at most 2^30 elements are allowed")
        return value

    def shape(self, value: str) -> tuple[int, int, int]:
        """(C, H, W) of a graph value."""
        return self.build.values[value].shape

    def bare(self, value: str) -> Flow:
        """A graph value seen as (N, C, H, W)."""
        return Flow(value, self.shape(value), self.shape(value))

    def producer(self, value: str) -> Node | None:
        """The node that makes a graph value; None for the input."""
        return self.build.producers.get(value)

    def chain(self, value: str) -> Chain | None:
        """How a graph value rises with what it was computed from; None where it does not."""
        return chain_of(value, self.shape(value)[0], self.producer, self.rising)

    def note(self, text: str, about: str | None = None) -> None:
        """Say something, if the model needs the graph value that it is about."""
        if (text, about) not in self.notes:
            self.notes.append((text, about))

    def sum_of(self, flow: Flow) -> Sum:
        """A value as a sum of others, or of itself alone."""
        if flow.levels is not None:
            return Sum.of_sign(flow.name, flow.levels)
        node = self.producer(flow.name)
        if node is not None and node.op == "zero":
            return Sum({}, {}, np.zeros(flow.channels))
        return self.sums.get(flow.name) or Sum.of_float(flow.name, flow.channels)

    def affine(self, flow: Flow, alpha: Array, beta: Array, name: str) -> Flow:
        """Return flow * alpha + beta, (C,) each."""

        def function(x: Array) -> Array:
            return x * alpha + beta

        if flow.levels is not None:
            return flow.with_levels(function, flow.levels.mapped(function))
        result = replace(flow, fill=flow.filled(function))
        if (alpha == 1).all() and not beta.any():
            return result
        _refuse_rounding(self.sum_of(flow).constant * alpha, beta)
        value = self._scaled(flow.name, alpha, beta, name)
        self._scaled_to.setdefault(flow.name, set()).add(value)
        self.sums.setdefault(value, self.sum_of(flow).scaled(alpha, beta))
        return replace(result, name=value)

    def beside(self, value: str, alpha: float | Array, beta: float, name: str) -> str:
        """Return value * alpha + beta where the value itself is needed, too: nothing is merged."""
        ones = np.ones(self.shape(value)[0])
        return self._norm(value, alpha * ones, beta * ones, name)

    def _scaled(self, value: str, alpha: Array, beta: Array, name: str) -> str:
        node = self.producer(value)
        if not alpha.any():
            value = self.node("zero", f"{name}.zero", (), {"shape": self.shape(value)})
            return value if not beta.any() else self._norm(value, alpha + 1, beta, name)
        if node is not None and node.op in _BINARY and not beta.any():
            scale = node.constants["scale"].astype(np.float64) * alpha
            constants = {**node.constants, "scale": scale}
            return self.node(node.op, name, node.inputs, dict(node.attributes), constants)
        if node is not None and node.op == "batch_norm":
            first = batch_norm_terms(**node.constants, eps=node.attributes["eps"])
            scale, shift = (term.astype(np.float64) for term in first)
            return self._norm(node.inputs[0], scale * alpha, shift * alpha + beta, name)
        return self._norm(value, alpha, beta, name)

    def _norm(self, value: str, alpha: Array, beta: Array, name: str) -> str:
        zeros = np.zeros_like(alpha)
        constants = {"weight": alpha, "bias": beta, "mean": zeros, "var": zeros + 1}
        result = self.node("batch_norm", name, (value,), {"eps": 0.0}, constants)
        self._made.add(result)
        return result

    def made_affine(self, value: str) -> bool:
        """Whether a value was made by `affine`, not by a BatchNormalization of the model."""
        return value in self._made

    def select(self, flow: Flow, index: Array, name: str) -> Flow:
        """Return channels of an image; zeros for an index of -1."""
        flow.need_image()
        levels = None if flow.levels is None else flow.levels.taken(index)
        fill = flow.filled(lambda x: np.where(index < 0, 0, x[index]))
        value = flow.name
        if not np.array_equal(index, np.arange(flow.channels)):
            value = self.node(
                "select_channels", name, (value,), {}, {"index": index.astype(np.int32)}
            )
        padded = replace(flow, name=value, shape=self.shape(value), levels=levels, fill=fill)
        return replace(padded, dims=padded.padded_shape)

    def add_float_layer(
        self, node: str, op: str, layer: str, reason: str, weights: int = 0
    ) -> None:
        """List a layer in full precision."""
        self.float_layers.append(FloatLayer(node, op, layer, reason, weights))

    def layers(self, needed: Collection[str]) -> tuple[ModelLayer, ...]:
        """The model's layers of weights that have a part in needed values of the graph."""
        floats = [
            ModelLayer(layer.node, layer.op, layer.layer, layer.weights, layer.reason)
            for layer in self.float_layers
            if layer.weights and layer.layer in needed
        ]
        binary = [
            ModelLayer(layer.node, layer.op, "", layer.weights)
            for layer in self.binary_layers
            if self._has_part(layer.value, needed)
        ]
        return (*binary, *floats)

    def _has_part(self, value: str, needed: Collection[str]) -> bool:
        """Whether a value, or what a scale and shift made of it, is needed."""
        waiting, seen = [value], set[str]()
        while waiting:
            name = waiting.pop()
            if name in needed:
                return True
            if name not in seen:
                seen.add(name)
                waiting += self._scaled_to.get(name, ())
        return False

    def flow(self, value: Flow | Array | None, what: str = "its input") -> Flow:
        """Check that a value depends on the image.

        Raises:
            CannotConvert: It is a constant, or left out.
        """
        if not isinstance(value, Flow):
            msg = f"{what} is not computed from the image"
            raise CannotConvert(msg, "check the model")
        return value

    def constant(self, value: Flow | Array | None, what: str) -> Array:
        """Check that a value is constant.

        Raises:
            CannotConvert: It depends on the image, or is left out.
        """
        if not isinstance(value, np.ndarray):
            msg = f"{what} is not constant"
            raise CannotConvert(msg, "only constant ones are understood")
        return value


ROUNDS = 2.0**20
"""A shift that is taken off again rounds floats from here on, and is meant to."""


def _refuse_rounding(shift: Array, beta: Array) -> None:
    if (np.abs(shift) >= ROUNDS).any() and (np.abs(shift + beta) < 2.0**-10 * np.abs(shift)).all():
        msg = f"adds {np.abs(shift).max():g} and takes it off again, which rounds"
        raise CannotConvert(msg, "use Round of a Clip")
