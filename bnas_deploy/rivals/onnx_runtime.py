"""ONNX Runtime with all graph optimisations, float32 and int8."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

__all__ = ["runner"]

Floats = npt.NDArray[np.float32]


def runner(model: bytes, threads: int = 1) -> Callable[[Floats], Floats]:
    """Return a function from float32 (1, C, H, W) to float32 logits (1, classes)."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def run(batch: Floats) -> Floats:
        logits: Floats = session.run(["logits"], {"image": batch})[0]
        return logits

    return run
