"""A packed network as a node of ONNX Runtime, by the operators in Python of onnxruntime-extensions.

The node has the path of the ``.bnn`` file and its checksum as attributes. Importing this module
registers the operator in the process. onnxruntime-extensions ends the process if an operator in
Python fails, so `open_session` looks at all files beforehand, and a failure says why before.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnxruntime_extensions import PyCustomOpDef, get_library_path, onnx_op

from bnas_deploy.errors import BnasError
from bnas_deploy.format.model_file import ModelFile
from bnas_deploy.runtime.model import Model, load

__all__ = ["DOMAIN", "OPERATOR", "as_model", "as_node", "open_session", "session_options"]

DOMAIN = "ai.onnx.contrib"
"""That of all operators of onnxruntime-extensions."""

OPERATOR = "BnasRun"
OPSET = 17
IR_VERSION = 8
"""Both are old enough for every ONNX Runtime since 1.14."""


def open_session(
    model: str | os.PathLike[str] | onnx.ModelProto,
    options: onnxruntime.SessionOptions | None = None,
    providers: Sequence[str] = ("CPUExecutionProvider",),
) -> onnxruntime.InferenceSession:
    """Open a model that has such nodes in its main graph, and read their files.

    Args:
        model: An ONNX file, or what is in one.
        options: Those of `session_options`, perhaps with more set; None: these alone.
        providers: Of the other nodes.

    Raises:
        FormatError: A ``.bnn`` file is missing, damaged, or has changed since the node was made.
    """
    found = model if isinstance(model, onnx.ModelProto) else onnx.load(model)
    for node in found.graph.node:
        if (node.domain, node.op_type) == (DOMAIN, OPERATOR):
            said = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            _ = _model(said["path"].decode(), said["sha256"].decode(), said["threads"]).runner
    source = found.SerializeToString() if found is model else os.fspath(model)
    return onnxruntime.InferenceSession(source, options or session_options(), list(providers))


def session_options() -> onnxruntime.SessionOptions:
    """New options of a session whose model has such nodes."""
    options = onnxruntime.SessionOptions()
    options.register_custom_ops_library(get_library_path())
    return options


def as_node(
    path: str | os.PathLike[str], images: str, logits: str, *, threads: int = 1
) -> onnx.NodeProto:
    """Make a node: float32 (N, C, H, W), normalised, to float32 (N, classes).

    Args:
        path: A ``.bnn`` file. It must be there under the same absolute path when the node runs.
        images: Name of the node's input.
        logits: Name of its output.
        threads: Number of threads that share a batch.

    Raises:
        FormatError: The file is missing, damaged, or of another version.
        UsageError: `threads` is no whole number of at least 1.
    """
    return _node(load(path, threads=threads), Path(path).absolute(), images, logits)


def as_model(path: str | os.PathLike[str], *, threads: int = 1) -> onnx.ModelProto:
    """Make a model of one such node, from `images` to `logits`; arguments as for `as_node`."""
    model = load(path, threads=threads)
    node = _node(model, Path(path).absolute(), "images", "logits")
    of_float = TensorProto.FLOAT
    images = helper.make_tensor_value_info("images", of_float, ["N", *model.input_shape])
    logits = helper.make_tensor_value_info("logits", of_float, ["N", len(model.labels)])
    graph = helper.make_graph([node], "packed", [images], [logits])
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(DOMAIN, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)


def _node(model: Model, path: Path, images: str, logits: str) -> onnx.NodeProto:
    return helper.make_node(
        OPERATOR,
        [images],
        [logits],
        domain=DOMAIN,
        path=str(path),
        sha256=model.checksum,
        threads=model.threads,
    )


@onnx_op(  # type: ignore[untyped-decorator, unused-ignore]
    op_type=OPERATOR,
    inputs=[PyCustomOpDef.dt_float],
    outputs=[PyCustomOpDef.dt_float],
    attrs={
        "path": PyCustomOpDef.dt_string,
        "sha256": PyCustomOpDef.dt_string,
        "threads": PyCustomOpDef.dt_int64,
    },
)
def _run(
    images: npt.NDArray[np.float32], path: str, sha256: str, threads: int
) -> npt.NDArray[np.float32]:
    try:
        return _model(path, sha256, int(threads)).run(images)
    except BnasError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.stderr.flush()
        raise


@lru_cache(maxsize=16)
def _model(path: str, sha256: str, threads: int) -> Model:
    """The network of that file, read once; a file that has changed is refused."""
    return Model(ModelFile.sent(Path(path), sha256), threads=threads)
