"""An ONNX model while it is written: nodes, initialisers, and the few idioms that all rules share.

Every value is (N, C, H, W) with a dynamic batch, the logits are (N, classes). Only standard
operators of one opset.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper

from bnas_deploy import __version__
from bnas_deploy.converters.graph.nodes import Array, Node
from bnas_deploy.converters.graph.values import Shape
from bnas_deploy.format import Preprocessing

__all__ = ["OPSET", "ModelProto", "OnnxWriter", "Rule", "column", "metadata_of", "plain"]

OPSET = 17
IR_VERSION = 8


def column(array: Array) -> Array:
    """Numbers of channels, (C,), as ONNX broadcasts them: (1, C, 1, 1) float32."""
    return np.ascontiguousarray(array, np.float32).reshape(1, -1, 1, 1)


class OnnxWriter:
    """Nodes so far; value names are those of the graph or program.

    Attributes:
        image: Name of the input.
        shapes: (C, H, W) of every value of the graph or program.
        broadcast: Constants that are written once, not for every image.
    """

    def __init__(
        self, image: str, shapes: Mapping[str, Shape], broadcast: frozenset[str] = frozenset()
    ) -> None:
        self.image, self.shapes, self.broadcast = image, shapes, broadcast
        self._nodes: list[onnx.NodeProto] = []
        self._initialisers: dict[str, TensorProto] = {}

    def channels(self, value: str) -> int:
        """Channels of a value of the graph or program."""
        return self.shapes[value][0]

    def constant(self, name: str, array: Array) -> str:
        """Store an initialiser once, and return its name."""
        if name not in self._initialisers:
            self._initialisers[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def number(self, value: float) -> str:
        """A scalar initialiser, shared by all who need that number."""
        return self.constant(f"number.{float(value)!r}", np.asarray(value, np.float32))

    def add(self, op: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:  # noqa: ANN401
        """Append a node that makes one value, and return its name."""
        node = helper.make_node(op, list(inputs), [output], name=output, **attributes)
        self._nodes.append(node)
        return output

    def activated(self, activation: str, output: str) -> str:
        """Where a value goes that an activation may follow; `activate` then makes `output`."""
        return f"{output}.linear" if activation == "relu" else output

    def activate(self, activation: str, output: str) -> str:
        """Append the activation."""
        if activation == "relu":
            self.add("Relu", [f"{output}.linear"], output)
        return output

    def compared(self, value: str, threshold: Array, flip: Array, output: str) -> str:
        """+1 where ``(value >= threshold) != flip``, else -1; (C,) both."""
        bound = self.constant(f"{output}.threshold", column(threshold))
        above = self.add("GreaterOrEqual", [value, bound], f"{output}.above")
        return self.signs(above, output, flip)

    def signs(self, above: str, output: str, flip: Array | None = None) -> str:
        """+1 where a compare holds, else -1; the other way round in flipped channels."""
        yes, no = self.number(1), self.number(-1)
        if flip is not None and flip.any():
            high = np.where(flip, -1, 1)
            yes = self.constant(f"{output}.high", column(high))
            no = self.constant(f"{output}.low", column(-high))
        return self.add("Where", [above, yes, no], output)

    def gathered(self, value: str, index: Array, output: str) -> str:
        """Channels of a value; zeros for an index of -1."""
        where = self.constant(f"{output}.index", np.maximum(index, 0).astype(np.int64))
        absent = bool((index < 0).any())
        taken = self.add("Gather", [value, where], f"{output}.all" if absent else output, axis=1)
        if not absent:
            return taken
        mask = self.constant(f"{output}.mask", column(index >= 0))
        return self.add("Mul", [taken, mask], output)

    def clipped(self, value: str, low: Array, high: Array, output: str) -> str:
        """min(max(value, low), high) with bounds of each channel, which Clip cannot have."""
        bounds = [
            self.constant(f"{output}.{name}", column(array))
            for name, array in (("low", low), ("high", high))
        ]
        above = self.add("Max", [value, bounds[0]], f"{output}.above")
        return self.add("Min", [above, bounds[1]], output)

    def repeated(self, value: str, output: str, extents: Shape = (1, 1, 1)) -> str:
        """A constant for every image of the batch, (1, C, H, W) or a number for `extents`."""
        batch = self.add("Shape", [self.image], f"{output}.batch", start=0, end=1)
        rest = self.constant(f"extents.{extents}", np.array(extents, np.int64))
        shape = self.add("Concat", [batch, rest], f"{output}.shape", axis=0)
        return self.add("Expand", [value, shape], output)

    def added_at(self, base: str, addend: str, at: int, count: int, name: str) -> str:
        """Add a value of `count` channels to those of a base from channel `at` on."""
        have = self.channels(base)
        if have != count:
            pads = np.array([0, at, 0, 0, 0, have - count - at, 0, 0], np.int64)
            padding = self.constant(f"{name}.pads", pads)
            addend = self.add("Pad", [addend, padding], f"{name}.wide")
        return self.add("Add", [base, addend], name)

    def magnitude(
        self, value: str, output: str, terms: tuple[Array, Array], mean: tuple[float, float]
    ) -> str:
        """Sum over the channels of abs(value * scale + shift), times a factor, plus a rest."""
        scale, shift = (self.constant(f"{output}.{i}", x) for i, x in enumerate(terms))
        x = value
        if (terms[0] != 1).any():
            x = self.add("Mul", [x, scale], f"{output}.scaled")
        if terms[1].any():
            x = self.add("Add", [x, shift], f"{output}.shifted")
        x = self.add("Abs", [x], f"{output}.size")
        axis = self.constant("axis.channels", np.array([1], np.int64))
        x = self.add("ReduceSum", [x, axis], f"{output}.sum", keepdims=1)
        x = self.add("Mul", [x, self.number(mean[0])], f"{output}.mean")
        return self.add("Add", [x, self.number(mean[1])], output)

    def model(self, logits: str, classes: int, *, metadata: Mapping[str, Any]) -> ModelProto:
        """Return the checked model.

        Args:
            logits: Name of the output, (N, classes).
            classes: How many there are.
            metadata: JSON values by key.
        """
        image = list(self.shapes[self.image])
        graph = helper.make_graph(
            self._nodes,
            "bnas",
            [helper.make_tensor_value_info(self.image, TensorProto.FLOAT, ["N", *image])],
            [helper.make_tensor_value_info(logits, TensorProto.FLOAT, ["N", classes])],
            list(self._initialisers.values()),
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )
        model.producer_name, model.producer_version = "bnas-deploy", __version__
        helper.set_model_props(model, {key: json.dumps(x) for key, x in metadata.items()})
        onnx.checker.check_model(model)
        return model


Rule = Callable[[OnnxWriter, Node], None]
"""Writes a node."""


def plain(op: str, **attributes: Any) -> Rule:  # noqa: ANN401
    """The rule of an operation that is one operator with the same inputs."""

    def rule(writer: OnnxWriter, node: Node) -> None:
        writer.add(op, node.inputs, node.output, **attributes)

    return rule


def metadata_of(labels: Sequence[str], preprocessing: Preprocessing) -> dict[str, Any]:
    """What an ONNX file has no place of its own for, and `bnas-import` reads back."""
    p = preprocessing
    return {
        "bnas.labels": list(labels),
        "bnas.preprocessing": {
            "resize": p.resize, "crop": list(p.crop), "mean": list(p.mean), "std": list(p.std),
        },
    }  # fmt: skip
