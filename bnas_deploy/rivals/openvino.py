"""OpenVINO's CPU plugin, one inference at a time: float32, its default precision, int8.

Float32 must be requested explicitly: on a CPU with AMX or AVX-512 BF16 the plugin's default is
bfloat16.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino as ov

__all__ = ["compiled", "precisions", "read", "runner"]

Floats = npt.NDArray[np.float32]
CORE = ov.Core()


def read(onnx: bytes) -> ov.Model:
    """The graph of an ONNX file, float or QDQ."""
    return CORE.read_model(onnx)


def compiled(
    model: ov.Model, *, threads: int = 1, precision: str | None = "f32"
) -> ov.CompiledModel:
    """Compile for latency.

    Args:
        model: The graph.
        threads: How many the plugin may use.
        precision: "f32" keeps float operations float32; None is the plugin's own choice. Neither
            changes what a QDQ graph runs in int8.
    """
    options: dict[str, Any] = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    if precision is not None:
        options["INFERENCE_PRECISION_HINT"] = precision
    return CORE.compile_model(model, "CPU", options)


def precisions(model: ov.CompiledModel, layer: str = "Convolution") -> Counter[str]:
    """How many layers of that type the compiled graph runs in which precision."""
    found: Counter[str] = Counter()
    for node in model.get_runtime_model().get_ordered_ops():
        facts = node.get_rt_info()
        if facts["layerType"].astype(str) == layer:
            found[facts["runtimePrecision"].astype(str)] += 1
    return found


def runner(model: ov.CompiledModel) -> Callable[[Floats], Floats]:
    """Return a function from the compiled graph's input to its first output."""
    request = model.create_infer_request()

    def run(batch: Floats) -> Floats:
        request.infer([batch], share_inputs=True)
        result: Floats = request.get_output_tensor(0).data.copy()
        return result

    return run
