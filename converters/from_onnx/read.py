"""Reads an ONNX file into plain nodes and arrays, trusting nothing in it.

External data is read here, not by the `onnx` package, so that no path in a model leads out of the
model's folder.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, numpy_helper

from bnas_deploy.converters.from_onnx.constants.evaluator import Evaluator
from bnas_deploy.converters.from_onnx.external import embed_external
from bnas_deploy.converters.from_onnx.shapes import inferred_shapes
from bnas_deploy.converters.from_onnx.standard.model import Standard, standard
from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.layout import reads_channels_last
from bnas_deploy.converters.operators.model import OperatorModel, OperatorNode
from bnas_deploy.converters.packing.model_file import ModelFile
from bnas_deploy.converters.signs.limits import ARRAY_LIMIT, EXTENT_LIMIT
from bnas_deploy.cut_off import is_cut_off, what_whole_file_is
from bnas_deploy.errors import ConversionError

__all__ = ["NEWEST_OPSET", "OLDEST_OPSET", "OnnxFile", "OperatorNode", "read_onnx"]

OLDEST_OPSET = 7
NEWEST_OPSET = 28
"""The operators' meaning is known up to here; a newer file is refused, not guessed at."""

FILE_LIMIT = 2**31
NODE_LIMIT = 5_000
FLOATS = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16)


@dataclass(frozen=True, kw_only=True)
class OnnxFile(OperatorModel):
    """A model as it was read.

    Attributes:
        proto: What ONNX Runtime runs, with external data embedded and standard operators.
        size: Bytes of the file and of the external data.
        notes: What reading it leaves out.
        clips: Nodes that clip a value to what 8 bits can say.
    """

    proto: onnx.ModelProto
    size: int
    notes: tuple[str, ...] = ()
    clips: tuple[str, ...] = ()


def read_onnx(file: ModelFile) -> OnnxFile:
    """Read and check a model.

    Args:
        file: The model; external data lies beside it.

    Raises:
        ConversionError: The file is no ONNX model, damaged, too large, of an unknown version, or
            its graph is cyclic or has more than one input or output.
    """
    path = file.path
    proto = _parse(file)
    opset = _opset(path, proto)
    _check_graph(path, proto)
    embed_external(proto, path)
    size = proto.ByteSize()
    _check_protobuf(path, proto)
    found = _standard(path, proto, opset)
    proto = found.plain
    constants = _constants(path, proto)
    name, batch, dims = _input(path, proto, constants)
    nodes = _nodes(path, proto)
    return OnnxFile(
        proto=found.runnable,
        size=size,
        compute=Evaluator(proto.opset_import).run,
        infer=partial(inferred_shapes, proto),
        notes=found.notes,
        clips=found.clips,
        nodes=nodes,
        constants=constants,
        input=name,
        batch=batch,
        dims=dims,
        output=_output(path, proto),
        opset=opset,
        channels_last=len(dims) == 3 and reads_channels_last(nodes, name, dims, constants),
    )


def _standard(path: Path, proto: onnx.ModelProto, opset: int) -> Standard:
    try:
        return standard(proto, opset)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise _fail(path, f"a tensor or attribute cannot be read: {error}") from error


def _fail(path: Path, what: str) -> ConversionError:
    return ConversionError(f"{path.name}: {what}")


def _parse(file: ModelFile) -> onnx.ModelProto:
    path = file.path
    if file.size > FILE_LIMIT:
        raise _fail(path, f"larger than 2^31 bytes ({file.size:,})")
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(file.data)
    except DecodeError as error:
        if is_cut_off(file.data):
            raise _fail(path, f"this is {what_whole_file_is(file.data)}") from error
        raise _fail(path, "not an ONNX model, or damaged (protobuf cannot read it)") from error
    if not proto.graph.node or not proto.opset_import:
        raise _fail(path, "not an ONNX model: expected a graph with nodes and an opset version")
    return proto


def _opset(path: Path, proto: onnx.ModelProto) -> int:
    versions = [entry.version for entry in proto.opset_import if entry.domain in ("", "ai.onnx")]
    if len(versions) != 1 or not OLDEST_OPSET <= versions[0] <= NEWEST_OPSET:
        found = ", ".join(map(str, versions)) or "none"
        what = f"expected one opset from {OLDEST_OPSET} to {NEWEST_OPSET}; got {found}"
        raise _fail(path, f"{what}; convert it with onnx.version_converter")
    return int(versions[0])


def _check_graph(path: Path, proto: onnx.ModelProto) -> None:
    graph = proto.graph
    if len(graph.node) > NODE_LIMIT:
        raise _fail(path, f"{len(graph.node):,} nodes; at most {NODE_LIMIT:,} are taken")
    if proto.functions:
        raise _fail(path, "it has functions of its own; write them out with onnx.inliner first")
    if graph.sparse_initializer:
        raise _fail(path, "sparse initialisers are not understood; store them dense")
    if cyclic := _in_circles(graph):
        raise _fail(path, f"these nodes depend on each other in a circle: {', '.join(cyclic[:8])}")


def _in_circles(graph: onnx.GraphProto) -> list[str]:
    """Names of the nodes that can never run, as each waits for another of them."""
    made = {name for node in graph.node for name in node.output if name}
    waits = {i: {n for n in node.input if n in made} for i, node in enumerate(graph.node)}
    readers: dict[str, list[int]] = {}
    for i, names in waits.items():
        for name in names:
            readers.setdefault(name, []).append(i)
    ready = [i for i, names in waits.items() if not names]
    while ready:
        i = ready.pop()
        del waits[i]
        for name in graph.node[i].output:
            for reader in readers.pop(name, []):
                waits[reader].discard(name)
                if not waits[reader]:
                    ready.append(reader)
    return [_name(graph.node[i]) for i in waits]


def _check_protobuf(path: Path, proto: onnx.ModelProto) -> None:
    try:
        onnx.checker.check_model(proto)
    except (onnx.checker.ValidationError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise _fail(path, f"not a valid ONNX model: {first}") from error


def _constants(path: Path, proto: onnx.ModelProto) -> dict[str, Array]:
    return {tensor.name: _array(path, tensor) for tensor in proto.graph.initializer}


def _array(path: Path, tensor: TensorProto) -> Array:
    try:
        array = np.array(numpy_helper.to_array(tensor))
    except (ValueError, TypeError, KeyError, RuntimeError) as error:
        raise _fail(path, f"tensor {tensor.name!r} cannot be read: {error}") from error
    # Infinity is fine in bounds of Clip; where a layer cannot take it, the layer's rule says so.
    if tensor.data_type in FLOATS and np.isnan(array).any():
        raise _fail(path, f"tensor {tensor.name!r} holds NaN; is the model trained?")
    return array


def _input(
    path: Path, proto: onnx.ModelProto, constants: Mapping[str, Array]
) -> tuple[str, int | None, tuple[int, ...]]:
    given = [value for value in proto.graph.input if value.name not in constants]
    if len(given) != 1:
        names = [value.name for value in given]
        raise _fail(path, f"expected one input beside the initialisers; got {len(given)}: {names}")
    (value,) = given
    kind = value.type.tensor_type
    if kind.elem_type != TensorProto.FLOAT:
        raise _fail(
            path, f"input {value.name!r} must be float32; cast inside the model is not read"
        )
    if not kind.HasField("shape") or len(kind.shape.dim) not in (2, 4):
        rank = len(kind.shape.dim) if kind.HasField("shape") else "unknown"
        what = f"input {value.name!r} must have shape (N, C, H, W) or (N, K); rank {rank}"
        raise _fail(path, what)
    first, *rest = kind.shape.dim
    dims = tuple(int(d.dim_value) if d.HasField("dim_value") else 0 for d in rest)
    if min(dims) < 1:
        what = f"input {value.name!r} has extents that are not stated: {list(dims)} (0: unknown)"
        raise _fail(path, f"{what}; state all but the batch, with onnx.tools.update_model_dims")
    if max(dims) > EXTENT_LIMIT or math.prod(dims) > ARRAY_LIMIT:
        what = f"input {value.name!r} is too large: {list(dims)}"
        raise _fail(path, f"{what}; extents may have {EXTENT_LIMIT:,}, images 2^28 elements")
    batch = int(first.dim_value) if first.HasField("dim_value") and first.dim_value > 0 else None
    return value.name, batch, dims


def _output(path: Path, proto: onnx.ModelProto) -> str:
    names = [value.name for value in proto.graph.output]
    if len(names) != 1:
        raise _fail(path, f"expected one output, the logits; got {names}; drop the others")
    return str(names[0])


def _name(node: onnx.NodeProto) -> str:
    return str(node.name or next((o for o in node.output if o), node.op_type))


def _nodes(path: Path, proto: onnx.ModelProto) -> tuple[OperatorNode, ...]:
    found: list[OperatorNode] = []
    names: set[str] = set()
    for node in proto.graph.node:
        name = _name(node)
        while name in names:
            name += "_"
        names.add(name)
        attributes = {a.name: _attribute(path, name, a) for a in node.attribute}
        domain = "" if node.domain == "ai.onnx" else node.domain
        values = tuple(node.input), tuple(node.output)
        found.append(OperatorNode(name, node.op_type, domain, *values, attributes, node))
    return tuple(found)


def _attribute(path: Path, node: str, attribute: onnx.AttributeProto) -> Any:  # noqa: ANN401
    if attribute.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS):
        return None  # the operators that have them are refused by name
    if attribute.type == onnx.AttributeProto.TENSOR:
        return _array(path, attribute.t)
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float) and np.isnan(value):
        raise _fail(path, f"node {node!r}: attribute {attribute.name!r} is NaN")
    return tuple(value) if isinstance(value, (list, tuple)) or hasattr(value, "append") else value
