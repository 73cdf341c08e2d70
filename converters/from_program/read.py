"""Reads a program of torch.export into ONNX's standard operators, node by node.

What depends on weights alone is computed by PyTorch itself, and what depends on the shape of the
input alone, for the batch size at hand. So only what depends on the image is translated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import fx
from torch._ops import HigherOrderOperator
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.export.graph_signature import OutputKind
from torch.utils._pytree import tree_leaves

from bnas_deploy.converters.from_program.aten.table import ATEN
from bnas_deploy.converters.from_program.call import (
    Call,
    Given,
    Outputs,
    Value,
    Written,
    operator_name,
)
from bnas_deploy.converters.from_program.constants import ABOUT_SHAPES, computed, without_data
from bnas_deploy.converters.from_program.export import Program
from bnas_deploy.converters.from_program.inputs import input_shape, placeholders
from bnas_deploy.converters.from_program.names import Names
from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.layout import reads_channels_last
from bnas_deploy.converters.operators.model import OperatorModel, OperatorNode
from bnas_deploy.converters.signs.obstacles import CannotConvert
from bnas_deploy.errors import ConversionError

__all__ = ["ProgramModel", "read_program"]

OPSET = 21
"""Of the standard operators that calls are written in."""

NODE_LIMIT = 20_000

CHECKS = {
    "_assert_async", "_assert_scalar", "_assert_tensor_metadata", "sym_constrain_range",
    "sym_constrain_range_for_size",
}  # fmt: skip
"""What gives nothing."""


@dataclass(frozen=True, kw_only=True)
class ProgramModel(OperatorModel):
    """A program as it was read.

    Attributes:
        program: What it was read from.
        notes: What people should know about it.
        places: The node of the program's graph that gives each value, by name, and which of its
            results it is.
    """

    program: Program
    notes: tuple[str, ...]
    places: Mapping[str, tuple[fx.Node, int]]


def read_program(program: Program) -> ProgramModel:
    """Translate a program.

    Raises:
        ConversionError: It has more than one input or output, or its input is no batch of images
            or vectors in float32.
    """
    count = len(program.exported.graph.nodes)
    if count > NODE_LIMIT:
        msg = f"{program.name}: {count:,} nodes; at most {NODE_LIMIT:,} are taken"
        raise ConversionError(msg)
    try:
        return _Reader(program).model()
    except ConversionError as error:
        msg = f"{program.name}: {error}"
        raise ConversionError(msg) from error


class _Reader:
    """The values of a program's nodes while it is read.

    A node's value is what Python has for a constant, `Value` for what depends on the image, a tuple
    of values, or the `CannotConvert` that kept a constant from being computed.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.names = Names()
        self.written = Written()
        self.fake = FakeTensorMode(allow_non_fake_inputs=True)
        self.places: dict[str, tuple[fx.Node, int]] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        node, shape = input_shape(program.exported, program.batch)
        with self.fake:
            like = torch.empty(shape, device=program.device)
        self.input = Value(self.names.unique(node.name), like)
        self.places[self.input.name] = node, 0

    def model(self) -> ProgramModel:
        """Read everything."""
        results = self._graph(self.program.exported.graph_module, self._inputs())
        name, (batch, *dims) = self.input.name, self.input.shape
        nodes, constants = tuple(self.written.nodes), self.written.constants
        return ProgramModel(
            nodes=nodes,
            constants=constants,
            input=name,
            batch=batch,
            dims=tuple(dims),
            output=self._output(results),
            opset=OPSET,
            compute=_compute,
            infer=lambda: self.shapes,
            channels_last=len(dims) == 3
            and reads_channels_last(nodes, name, tuple(dims), constants),
            program=self.program,
            notes=tuple(dict.fromkeys(self.written.notes)),
            places=self.places,
        )

    def _inputs(self) -> Iterator[Given]:
        """What the graph's placeholders are, in order."""
        for node, spec, tensor in placeholders(self.program.exported):
            if node is self.places[self.input.name][0]:
                yield self.input
            else:
                self.written.name(tensor, spec.target or node.name)
                yield tensor

    def _graph(self, module: fx.GraphModule, given: Iterator[Given]) -> Given:
        """Walk through a graph; what it gives."""
        values: dict[fx.Node, Given] = {}
        for node in module.graph.nodes:
            if node.op == "placeholder":
                values[node] = next(given)
            elif node.op == "get_attr":
                values[node] = _attribute(module, str(node.target))
                self.written.name(values[node], str(node.target))
            elif node.op == "output":
                return fx.node.map_arg(node.args[0], values.__getitem__)
            else:
                values[node] = self._called(node, values)
        return None

    def _called(self, node: fx.Node, values: Mapping[fx.Node, Given]) -> Given:
        args: Given = fx.node.map_arg(node.args, values.__getitem__)
        kwargs: Given = fx.node.map_arg(dict(node.kwargs), values.__getitem__)
        name = operator_name(node)
        if name == "getitem":
            return args[0] if isinstance(args[0], CannotConvert) else args[0][args[1]]
        if isinstance(node.target, HigherOrderOperator):
            return self._inside(node, args)
        if name in CHECKS:
            return None
        leaves = tree_leaves((args, kwargs))
        failed = next((x for x in leaves if isinstance(x, CannotConvert)), None)
        read = [x for x in leaves if isinstance(x, Value)]
        if not read and failed is not None:
            return failed
        if failed is None and (not read or name in ABOUT_SHAPES):
            return self._constant(node, args, kwargs)
        return self._translated(node, args, kwargs, read, failed)

    def _inside(self, node: fx.Node, args: Sequence[Given]) -> Given:
        """A part of the graph under torch.no_grad() or autocast, which is a graph of its own."""
        places = [i for i, x in enumerate(args) if isinstance(x, fx.GraphModule)]
        if len(places) == 1 and operator_name(node).startswith("wrap_with_"):
            return self._graph(args[places[0]], iter(args[places[0] + 1 :]))
        read = [x for x in tree_leaves(args) if isinstance(x, Value)]
        what = f"{operator_name(node)} runs graphs of its own"
        error = CannotConvert(what, "leave out control flow that depends on values")
        return self._refused(node, read, None, error)

    def _constant(self, node: fx.Node, args: Given, kwargs: Given) -> Given:
        result = computed(node, args, kwargs, self.fake)
        for part in tree_leaves(result):
            if isinstance(part, torch.Tensor):
                self.written.name(part, self.names.of(node))
        return result

    def _translated(
        self,
        node: fx.Node,
        args: Given,
        kwargs: Given,
        read: Sequence[Value],
        failed: CannotConvert | None,
    ) -> Given:
        like = failed or without_data(node, args, kwargs, self.fake)
        if isinstance(like, CannotConvert):
            return self._refused(node, read, None, like)
        rule = ATEN.get(operator_name(node))
        if rule is None:
            return self._refused(node, read, like, _unknown(node))
        name = self.names.of(node)
        try:
            outputs = rule(Call(name, _by_name(node, args, kwargs), like, self.written))
        except CannotConvert as error:
            return self._refused(node, read, like, error, name)
        return self._values(node, outputs, like)

    def _values(self, node: fx.Node, outputs: Outputs, like: Given, place: int = 0) -> Given:
        if isinstance(outputs, str):
            if not isinstance(like, torch.Tensor):
                return None
            self.places.setdefault(outputs, (node, place))
            self.shapes[outputs] = tuple(int(n) for n in like.shape[1:])
            return Value(outputs, like)
        return tuple(
            self._values(node, name, part, i) if name else _left_out(node)
            for i, (name, part) in enumerate(zip(outputs, like, strict=True))
        )

    def _refused(
        self,
        node: fx.Node,
        read: Sequence[Value],
        like: Given,
        error: CannotConvert,
        name: str = "",
    ) -> Given:
        """Stand for a call that has no translation, so that what reads it can be read on."""
        name = name or self.names.of(node)
        inputs = tuple(dict.fromkeys(x.name for x in read)) or (self.input.name,)
        shown = node.meta.get("val") if like is None else like
        count = len(shown) if isinstance(shown, list | tuple) else 1
        names = tuple(f"{name}:{i}" if i else name for i in range(count))
        op, refused = operator_name(node), (error.reason, error.remedy)
        self.written.nodes.append(OperatorNode(name, op, "aten", inputs, names, refused=refused))
        return self._values(node, names[0] if count == 1 else names, shown)

    def _output(self, results: Sequence[Given]) -> str:
        specs = self.program.exported.graph_signature.output_specs
        own = [
            result
            for spec, result in zip(specs, results, strict=True)
            if spec.kind == OutputKind.USER_OUTPUT and result is not None
        ]
        if len(own) != 1:
            wrap = "wrap it in a module that returns one of them"
            msg = f"expected one output, (N, classes); got {len(own)}; {wrap}"
            raise ConversionError(msg)
        if not isinstance(own[0], Value):
            msg = "its output does not depend on its input"
            raise ConversionError(msg)
        return own[0].name


def _by_name(node: fx.Node, args: Sequence[Given], kwargs: Mapping[str, Given]) -> dict[str, Given]:
    """Arguments by the names in the operator's schema, defaults among them."""
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        return dict(kwargs)
    given = {a.name: a.default_value for a in schema.arguments if a.has_default_value()}
    positional = [a.name for a in schema.arguments if not a.kwarg_only]
    return {**given, **dict(zip(positional, args, strict=False)), **kwargs}


def _attribute(module: fx.GraphModule, path: str) -> Given:
    found: Given = module
    for part in path.split("."):
        found = getattr(found, part)
    return found


def _unknown(node: fx.Node) -> CannotConvert:
    return CannotConvert(
        "this operator of PyTorch is not understood",
        "leave it out of the model, or write it with the operators of docs/pytorch.md",
    )


def _left_out(node: fx.Node) -> CannotConvert:
    what = f"reads a second result of {operator_name(node)}"
    return CannotConvert(what, "only the first one is understood")


def _compute(
    nodes: Sequence[OperatorNode],
    given: Mapping[str, Array],
    wanted: Sequence[str],
) -> list[Array]:
    """Constants are computed while the program is read; nothing is left for later."""
    msg = f"computes {', '.join(wanted)} from constants"
    raise CannotConvert(msg, "report this model: it should have been computed before")
