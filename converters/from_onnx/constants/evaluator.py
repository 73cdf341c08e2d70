"""Runs nodes whose inputs are known in the process of `worker`, which is ended if it is silent."""

from __future__ import annotations

import atexit
import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import onnx
from onnx import helper, numpy_helper

from bnas_deploy.converters.from_onnx.constants import worker
from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.model import OperatorNode
from bnas_deploy.converters.signs.limits import ARRAY_LIMIT
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["Evaluator"]

SECONDS = 60
"""For one answer."""

DENIED = {
    "Bernoulli", "If", "Loop", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform",
    "RandomUniformLike", "Scan", "SequenceMap",
}  # fmt: skip
"""Standard operators that are no function of their inputs, or run graphs of their own."""


class Evaluator:
    """ONNX Runtime for the constants of one model.

    Args:
        opsets: Of the model.
    """

    def __init__(self, opsets: Iterable[onnx.OperatorSetIdProto]) -> None:
        self._opsets = [helper.make_opsetid("", o.version) for o in opsets if not o.domain]
        self._gave_up = False

    def run(
        self, nodes: Sequence[OperatorNode], given: Mapping[str, Array], wanted: Sequence[str]
    ) -> list[Array]:
        """Return values that nodes make of known arrays.

        Args:
            nodes: In an order in which they can run.
            given: All that they read and do not make.
            wanted: Names of values.

        Raises:
            CannotConvert: An operator is not allowed, fails, takes too long, or makes too much.
        """
        for node in nodes:
            _check(node)
        graph = helper.make_graph(
            [_proto(node) for node in nodes], "constants", [],
            [onnx.ValueInfoProto(name=name) for name in wanted],
            [numpy_helper.from_array(array, name) for name, array in given.items()],
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=self._opsets, ir_version=8)
        answer = onnx.GraphProto(doc_string="another constant took too long")
        if not self._gave_up:  # or a model of a thousand such constants would keep us for long
            answer = _answer(model)
            self._gave_up = not (answer.doc_string or answer.initializer)
        if answer.doc_string or not answer.initializer:
            ops = " or ".join(dict.fromkeys(node.op for node in nodes))
            limits = f"it takes more than {worker.BYTES // 2**30} GiB or {SECONDS} seconds"
            msg = f"a constant cannot be computed ({ops}): {answer.doc_string or limits}"
            raise CannotConvert(msg, "check the model, or replace it by its value")
        return [numpy_helper.to_array(tensor) for tensor in answer.initializer]


def _proto(node: OperatorNode) -> onnx.NodeProto:
    """The node as it is read here, which may be another than the file's."""
    proto = helper.make_node(node.op, node.inputs, node.outputs, name=node.name)
    if isinstance(node.origin, onnx.NodeProto) and node.origin.op_type == node.op:
        proto.attribute.extend(node.origin.attribute)
    return proto


def _check(node: OperatorNode) -> None:
    graphs = any(a.type in _GRAPHS for a in _proto(node).attribute)
    if node.domain or node.op in DENIED or graphs or not onnx.defs.has(node.op):
        msg = f"{node.op} is not computed, even where all it reads is constant"
        raise CannotConvert(msg, "replace it by its value")


_GRAPHS = (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS)


def _answer(model: onnx.ModelProto) -> onnx.GraphProto:
    """The worker's answer; empty if it ended, or was ended as time was up."""
    try:
        answer: onnx.GraphProto = onnx.GraphProto.FromString(_SHARED.ask(model.SerializeToString()))
    except ValueError as error:  # protobuf's limit on the size of a message
        return onnx.GraphProto(doc_string=str(error))
    return answer


class _Worker:
    """One process for all models, as it keeps nothing between two requests."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        atexit.register(self._end)

    def ask(self, request: bytes) -> bytes:
        with self._lock:
            process = self._process = self._process or subprocess.Popen(
                [sys.executable, str(Path(worker.__file__))],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            assert process.stdin is not None
            assert process.stdout is not None
            watch = threading.Timer(SECONDS, process.kill)
            watch.start()
            try:
                limit = ARRAY_LIMIT.to_bytes(worker.HEADER, "little")
                worker.write(process.stdin, limit + request)
                answer = worker.read(process.stdout)
            except BrokenPipeError:
                answer = b""
            finally:
                watch.cancel()
            if not answer:
                self._end()
            return answer

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            with contextlib.suppress(BrokenPipeError):
                self._process.communicate()
            self._process = None


_SHARED = _Worker()
