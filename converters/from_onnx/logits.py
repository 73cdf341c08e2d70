"""Runs an ONNX model with ONNX Runtime, on the CPU; it compares nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime

from bnas_deploy.errors import ConversionError

__all__ = ["onnx_logits", "onnx_values"]

BATCH = 32

Floats = npt.NDArray[np.float32]


def onnx_logits(proto: onnx.ModelProto, images: Floats, *, batch: int | None = None) -> Floats:
    """Return the logits (N, classes) that ONNX Runtime computes.

    Args:
        proto: With its external data embedded.
        images: (N, ...) as the model's input takes them.
        batch: The model's fixed batch size, if it has one; the last images are repeated to fill it.

    Raises:
        ConversionError: ONNX Runtime does not run the model.
    """
    with _refusals():
        logits = _run(proto, images, None, batch)[0]
    return np.asarray(logits, np.float32)


def onnx_values(
    proto: onnx.ModelProto, images: Floats, names: Sequence[str], *, batch: int | None = None
) -> dict[str, npt.NDArray[np.generic]]:
    """Return values inside a model, (N, elements), by name; without those that it has not.

    Args:
        proto: As for `onnx_logits`.
        images: As for `onnx_logits`.
        names: Of values that nodes make.
        batch: As for `onnx_logits`.

    Raises:
        ConversionError: ONNX Runtime does not run the model.
    """
    made = {name for node in proto.graph.node for name in node.output}
    wanted = [name for name in dict.fromkeys(names) if name in made]
    opened = onnx.ModelProto()
    opened.CopyFrom(proto)
    there = {value.name for value in opened.graph.output}
    opened.graph.output.extend(onnx.ValueInfoProto(name=n) for n in wanted if n not in there)
    with _refusals():
        return dict(zip(wanted, _run(opened, images, wanted, batch), strict=True))


def _run(
    proto: onnx.ModelProto, images: Floats, outputs: list[str] | None, batch: int | None
) -> list[npt.NDArray[np.generic]]:
    """Outputs (N, ...) by place."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name
    found = []
    size = batch or BATCH
    for start in range(0, len(images), size):
        part = images[start : start + size]
        missing = size - len(part) if batch else 0
        whole = np.concatenate([part, np.repeat(part[-1:], missing, axis=0)])
        made = session.run(outputs, {name: whole})
        found.append([np.asarray(array).reshape(len(whole), -1)[: len(part)] for array in made])
    return [np.concatenate(parts) for parts in zip(*found, strict=True)]


@contextmanager
def _refusals() -> Iterator[None]:
    """Raise what ONNX Runtime raises as `ConversionError`."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        raise _refused(error) from error
    except Exception as error:  # its exceptions have no common base but Exception
        if not type(error).__module__.startswith("onnxruntime"):
            raise
        raise _refused(error) from error


def _refused(error: Exception) -> ConversionError:
    first = str(error).strip().splitlines()[0][:300]
    return ConversionError(f"ONNX Runtime does not run this model: {first}")
