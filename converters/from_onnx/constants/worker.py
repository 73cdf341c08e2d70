"""The program of the process that computes constants with ONNX Runtime, under limits.

A model is not trusted, so what it asks for runs apart from everything else: this process may take
so much memory and time, writes no files, and is ended by its parent if it does not answer. A
message is its length in eight bytes and a protobuf: to here (behind eight bytes with the largest
number of elements) a ModelProto without inputs, from here a GraphProto with its outputs as
initialisers, or with what went wrong as its documentation. Nothing of the package is imported.
"""

from __future__ import annotations

import contextlib
import math
import sys
from typing import IO

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

HEADER = 8
SECONDS = 600
BYTES = 2**33


def main() -> None:
    """Answer requests until the input ends."""
    limit_process()
    while request := read(sys.stdin.buffer):
        limit = int.from_bytes(request[:HEADER], "little")
        answer = onnx.GraphProto(name="constants")
        try:
            arrays = computed(onnx.load_from_string(request[HEADER:]), limit)
            answer.initializer.extend(
                numpy_helper.from_array(a, name) for name, a in arrays.items()
            )
        except Exception as error:
            answer.Clear()
            answer.doc_string = reason(error)
        write(sys.stdout.buffer, answer.SerializeToString())


def limit_process() -> None:
    """Bound memory, processor time and files, where the system can."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - not on Windows

        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))


def computed(model: onnx.ModelProto, limit: int) -> dict[str, np.ndarray]:
    """Return the outputs of a model without inputs, if no value has more elements than `limit`."""
    known = onnx.shape_inference.infer_shapes(model, data_prop=True)
    for value in (*known.graph.value_info, *known.graph.output):
        check_size([d.dim_value for d in value.type.tensor_type.shape.dim], limit)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in model.graph.output]
    found = dict(zip(names, session.run(names, {}), strict=True))
    for name, array in found.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
            msg = f"{name} is made of other things than numbers"
            raise TypeError(msg)
        check_size(array.shape, limit)
    return found


def check_size(extents: list[int] | tuple[int, ...], limit: int) -> None:
    """Refuse too many elements; an extent that is not known is 0."""
    if (count := math.prod(extents)) > limit:
        msg = f"{count:,} elements, more than {limit:,}"
        raise ValueError(msg)


def reason(error: Exception) -> str:
    """One line that says what went wrong, without ONNX Runtime's own prefixes."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rpartition("Status Message: ")[2][:300]


def read(stream: IO[bytes]) -> bytes:
    """The next message; empty at the end."""
    return stream.read(int.from_bytes(stream.read(HEADER), "little"))


def write(stream: IO[bytes], message: bytes) -> None:
    """Send a message."""
    stream.write(len(message).to_bytes(HEADER, "little") + message)
    stream.flush()


if __name__ == "__main__":
    main()
