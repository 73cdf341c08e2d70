"""The values of a model that do not depend on the image, and those that depend on the batch size.

Nodes wait until a layer needs their values; then all that the value depends on is computed at once.
What follows from the shape of a batch of unknown size is computed for batches of two and of three:
where both are the same, it is a constant; where they differ, it contains the batch size.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.model import OperatorModel, OperatorNode
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["BATCH", "Known", "Varying", "shape_of", "with_batch_named"]

BATCH = -(2**40)
"""Stands for the batch size in shapes, and its multiples for multiples."""

BATCHES = (2, 3)


@dataclass(frozen=True, eq=False)
class Varying:
    """What a value is for each of `BATCHES`."""

    arrays: tuple[Array, Array]

    def mapped(self, function: Callable[[Array], Any]) -> Varying:
        """Return what a function makes of either."""
        two, three = (np.asarray(function(array)) for array in self.arrays)
        return Varying((two, three))


class Known:
    """The values that do not depend on the image, by name.

    Args:
        model: The model.
    """

    def __init__(self, model: OperatorModel) -> None:
        self._values: dict[str, Array | Varying] = dict(model.constants)
        self._makers: dict[str, OperatorNode] = {}
        self._failed: dict[str, CannotConvert] = {}
        self._run = model.compute

    def __contains__(self, name: str) -> bool:
        return name in self._values or name in self._makers

    def add(self, node: OperatorNode) -> None:
        """Take a node whose inputs are known; it is computed when it is needed."""
        if node.op == "Constant" and (value := _stated(node)) is not None:
            self._values[node.outputs[0]] = value
            return
        self._makers.update((name, node) for name in node.outputs if name)

    def put(self, name: str, value: Array | Varying) -> None:
        """Take a value."""
        self._values[name] = value

    def array(self, name: str, *, shape: bool = False) -> Array:
        """Return a value; (1, ...) where it is the same for every image of the batch.

        Args:
            name: Of the value.
            shape: Whether it is one that may contain the batch size; `BATCH` stands for that.

        Raises:
            CannotConvert: It cannot be computed, or differs from image to image, or with the size
                of the batch.
        """
        self.compute([name])
        value = self._values[name]
        result = value if isinstance(value, np.ndarray) else _settled(*value.arrays, shape=shape)
        if result.dtype.kind == "f" and np.isnan(result).any():
            msg = f"{name!r} is NaN, computed of the model's constants"
            raise CannotConvert(msg, "check the model's weights")
        return result

    def compute(self, names: Sequence[str]) -> None:
        """Make sure that values are there.

        Raises:
            CannotConvert: One cannot be computed.
        """
        wanted = [name for name in dict.fromkeys(names) if name not in self._values]
        for name in wanted:
            if name in self._failed:
                raise self._failed[name]
        try:
            self._compute(wanted)
        except CannotConvert as error:
            self._failed.update((name, error) for name in wanted)
            raise

    def _compute(self, wanted: Sequence[str]) -> None:
        nodes, given = self._behind(wanted)
        if not nodes:
            return
        leaves = {name: self._values[name] for name in given}
        if not any(isinstance(value, Varying) for value in leaves.values()):
            arrays = {n: value for n, value in leaves.items() if isinstance(value, np.ndarray)}
            results = self._run(nodes, arrays, wanted)
            self._values.update(zip(wanted, results, strict=True))
            return
        either = [self._run(nodes, _chosen(leaves, i), wanted) for i in range(2)]
        for name, two, three in zip(wanted, *either, strict=True):
            same = two.shape == three.shape and np.array_equal(two, three)
            self._values[name] = two if same else Varying((two, three))

    def _behind(self, names: Sequence[str]) -> tuple[list[OperatorNode], list[str]]:
        """The nodes that values wait for, in order, and the values that these read."""
        nodes: dict[str, OperatorNode] = {}
        given: dict[str, None] = {}
        waiting = [(name, False) for name in reversed(names)]
        while waiting:
            name, ready = waiting.pop()
            if name in self._values:
                given[name] = None
                continue
            node = self._makers[name]
            if ready:
                nodes.setdefault(node.name, node)
            elif node.name not in nodes:
                waiting.append((name, True))
                waiting += [(read, False) for read in node.inputs if read]
        return list(nodes.values()), list(given)


def _chosen(leaves: Mapping[str, Array | Varying], place: int) -> dict[str, Array]:
    return {
        name: value if isinstance(value, np.ndarray) else value.arrays[place]
        for name, value in leaves.items()
    }


def _settled(two: Array, three: Array, *, shape: bool) -> Array:
    """One array for both batches: of one image, or, for a shape, with `BATCH` in it."""
    same = two.ndim == three.ndim and two.shape[1:] == three.shape[1:]
    if same and two.ndim and (len(two), len(three)) == BATCHES:
        if (two == two[:1]).all() and (three == two[:1]).all():
            return two[:1]
        msg = "a constant differs from image to image of the batch"
        raise CannotConvert(msg, "export it with a batch of one")
    if shape and same and two.shape == three.shape and two.dtype.kind in "iu":
        times, rest = np.divmod(two, BATCHES[0])
        multiple = (rest == 0) & (times * BATCHES[1] == three)
        if ((two == three) | multiple).all():
            return np.where(two == three, two, times * BATCH)
    msg = "it computes with the batch size"
    raise CannotConvert(msg, "fix the model's batch size at 1")


def _stated(node: OperatorNode) -> Array | None:
    """The array of a Constant, if it is stated as numbers."""
    (kind,) = node.attributes
    value = node.attributes[kind]
    types = {"value_int": np.int64, "value_ints": np.int64,
             "value_float": np.float32, "value_floats": np.float32}  # fmt: skip
    if kind in types:
        return np.asarray(value, types[kind])
    return value if isinstance(value, np.ndarray) and value.dtype.kind in "fiub" else None


def with_batch_named(text: str) -> str:
    """Return a message in which the batch is called N, and 2N and so on its multiples."""
    return re.sub(rf"-\d{{{len(str(-BATCH))},}}", _named, text)


def _named(number: re.Match[str]) -> str:
    times, rest = divmod(int(number[0]), BATCH)
    if rest:
        return number[0]
    return "N" if times == 1 else f"{times}N"


def shape_of(dims: Sequence[int], batch: int | None) -> Array | Varying:
    """What Shape gives of a value with these extents behind the batch."""
    if batch is not None:
        return np.array([batch, *dims], np.int64)
    two, three = (np.array([n, *dims], np.int64) for n in BATCHES)
    return Varying((two, three))
