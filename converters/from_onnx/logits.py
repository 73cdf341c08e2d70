"""Runs an ONNX model with ONNX Runtime, on the CPU; it compares nothing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime

from bnas_deploy.errors import ConversionError

__all__ = ["onnx_logits"]

BATCH = 32


def onnx_logits(
    proto: onnx.ModelProto, images: npt.NDArray[np.float32], *, batch: int | None = None
) -> npt.NDArray[np.float32]:
    """Return the logits (N, classes) that ONNX Runtime computes.

    Args:
        proto: With its external data embedded.
        images: (N, ...) as the model's input takes them.
        batch: The model's fixed batch size, if it has one; the last images are repeated to fill it.

    Raises:
        ConversionError: ONNX Runtime does not run the model.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    size = batch or BATCH
    try:
        session = onnxruntime.InferenceSession(
            proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        name = session.get_inputs()[0].name
        found = []
        for start in range(0, len(images), size):
            part = images[start : start + size]
            missing = size - len(part) if batch else 0
            whole = np.concatenate([part, np.repeat(part[-1:], missing, axis=0)])
            logits = np.asarray(session.run(None, {name: whole})[0], np.float32)
            found.append(logits.reshape(len(whole), -1)[: len(part)])
    except (RuntimeError, ValueError) as error:
        raise _refused(error) from error
    except Exception as error:  # its exceptions have no common base but Exception
        if not type(error).__module__.startswith("onnxruntime"):
            raise
        raise _refused(error) from error
    return np.concatenate(found)


def _refused(error: Exception) -> ConversionError:
    first = str(error).strip().splitlines()[0][:300]
    return ConversionError(f"ONNX Runtime does not run this model: {first}")
