"""The rivals by name: which are installed, how each runs a network, how exact it must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bnas_deploy.errors import BackendError
from bnas_deploy.extras import is_installed
from bnas_deploy.rivals import onnx_runtime, torch_float
from bnas_deploy.rivals.answers import Floats, Run, difference

if TYPE_CHECKING:
    from torch import nn

__all__ = ["RIVALS", "TOLERANCE", "Run", "rival", "within_tolerance"]

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
    name for name in TOLERANCE if not name.startswith("openvino") or is_installed("openvino")
)


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
    if name.startswith("onnx"):
        return onnx_runtime.runner(onnx)
    from bnas_deploy.rivals import openvino  # noqa: PLC0415 - it is not always installed

    return openvino.runner(openvino.checked(name, onnx))


def within_tolerance(name: str, answer: Floats, right: Floats, *, slack: float = 1.0) -> None:
    """Check a rival's answer against PyTorch's; `slack` widens the tolerance.

    Raises:
        BackendError: It is too far off.
    """
    error = difference(answer, right)
    if not error <= slack * TOLERANCE[name]:
        msg = f"{name} is {error:.1%} off PyTorch"
        raise BackendError(msg)
