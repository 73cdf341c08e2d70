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

from bnas_deploy.errors import BackendError

__all__ = ["checked", "compiled", "kernels", "precisions", "read", "runner"]

Floats = npt.NDArray[np.float32]
CORE = ov.Core()
WITH_WEIGHTS = ("Convolution", "GroupConvolution", "FullyConnected")


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


def checked(name: str, onnx: bytes) -> ov.CompiledModel:
    """Compile for latency, and look at what precision the compiled graph runs in.

    Args:
        name: `openvino-float32`, `openvino-int8`, or `openvino-default` (the plugin's own choice).
        onnx: The graph; for int8 QDQ.

    Raises:
        BackendError: It is another one.
    """
    model = compiled(read(onnx), precision="f32" if name == "openvino-float32" else None)
    wanted = {"openvino-float32": {"f32"}, "openvino-int8": {"u8", "i8"}}.get(name)
    for layer in ("Convolution", "FullyConnected"):
        found = precisions(model, layer)
        # A network's one classifier may stay in floats.
        if wanted and found.total() > 1:
            right = sum(found[precision] for precision in wanted)
            if right < 0.9 * found.total() - 1:
                msg = f"{name} runs {layer} in {dict(found)}"
                raise BackendError(msg)
    return model


def kernels(model: ov.CompiledModel) -> Counter[str]:
    """How many layers with weights run on which kernels, by the plugin's names for them."""
    found: Counter[str] = Counter()
    for node in model.get_runtime_model().get_ordered_ops():
        facts = node.get_rt_info()
        if facts["layerType"].astype(str) in WITH_WEIGHTS:
            found[facts["primitiveType"].astype(str)] += 1
    return found


def runner(model: ov.CompiledModel) -> Callable[[Floats], Floats]:
    """Return a function from the compiled graph's input to its first output."""
    request = model.create_infer_request()

    def run(batch: Floats) -> Floats:
        request.infer([batch], share_inputs=True)
        result: Floats = request.get_output_tensor(0).data.copy()
        return result

    return run
