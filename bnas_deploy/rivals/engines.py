"""The rivals by name: which are installed, how each runs a network, how exact it must be."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from bnas_deploy.rivals import onnx_runtime, torch_float

if TYPE_CHECKING:
    from torch import nn

__all__ = ["RIVALS", "TOLERANCE", "Floats", "Run", "rival", "within_tolerance"]

Floats: TypeAlias = npt.NDArray[np.float32]

TOLERANCE = {
    "pytorch-float32": 0.0,
    "onnxruntime-float32": 1e-4,
    "onnxruntime-int8": 0.1,
    "openvino-float32": 1e-4,
    "openvino-default": 0.1,  # bfloat16 where the CPU has it
    "openvino-int8": 0.1,
}
"""How far each may be off PyTorch float32, as a share of the largest logit."""

RIVALS = tuple(
    name
    for name in TOLERANCE
    if not name.startswith("openvino") or importlib.util.find_spec("openvino")
)
Run: TypeAlias = Callable[[Floats], Floats]


def rival(name: str, network: nn.Module, exported: Callable[[bool], bytes]) -> Run:
    """Return a rival on a float network.

    Args:
        name: One of `RIVALS`.
        network: In evaluation mode, for PyTorch.
        exported: The same as ONNX; in int8 as QDQ if its argument is true. What ONNX Runtime and
            OpenVINO both run.
    """
    if name == "pytorch-float32":
        return torch_float.runner(network)
    onnx = exported(name.endswith("int8"))
    return onnx_runtime.runner(onnx) if name.startswith("onnx") else _openvino(name, onnx)


def _openvino(name: str, onnx: bytes) -> Run:
    """OpenVINO, after a look at what precision the compiled graph runs in."""
    from bnas_deploy.rivals import openvino  # noqa: PLC0415 - it is not always installed

    chosen = "f32" if name == "openvino-float32" else None
    model = openvino.compiled(openvino.read(onnx), precision=chosen)
    wanted = {"openvino-float32": {"f32"}, "openvino-int8": {"u8", "i8"}}.get(name)
    for layer in ("Convolution", "FullyConnected"):
        precisions = openvino.precisions(model, layer)
        # A network's one classifier may stay in floats.
        if wanted and precisions.total() > 1:
            found = sum(precisions[precision] for precision in wanted)
            assert found >= 0.9 * precisions.total() - 1, f"{name} runs {layer} in {precisions}"
    return openvino.runner(model)


def within_tolerance(name: str, answer: Floats, right: Floats, *, slack: float = 1.0) -> None:
    """Check a rival's answer against PyTorch's; `slack` widens the tolerance."""
    error = np.abs(answer - right).max() / np.abs(right).max()
    assert error <= slack * TOLERANCE[name], f"{name} is {error:.1%} off PyTorch"
