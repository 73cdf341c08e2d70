"""Engines that run a file: which file, how exact its answers must be, and what to call.

A file is made once and run wherever it is measured, also by a process whose engine is confined to
an older instruction set.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from bnas_deploy.rivals import onnx_runtime
from bnas_deploy.rivals.engines import Floats, Run

__all__ = ["FILE_ENGINES", "FileEngine", "Loaded", "load", "missing"]


@dataclass(frozen=True)
class FileEngine:
    """One engine in one precision.

    Attributes:
        label: For people.
        file: Name of what it runs.
        package: What must be installed.
        tolerance: How far an answer may be off PyTorch float32, as a share of the largest logit.
    """

    label: str
    file: str
    package: str
    tolerance: float


INT8_TOLERANCE = 0.25
"""What int8 rounds away grows from layer to layer of networks of random weights."""

FILE_ENGINES: dict[str, FileEngine] = {
    "openvino-float32": FileEngine("OpenVINO float32", "float.onnx", "openvino", 1e-4),
    "openvino-int8": FileEngine("OpenVINO int8", "int8.onnx", "openvino", INT8_TOLERANCE),
    "onnxruntime-float32": FileEngine("ONNX Runtime float32", "float.onnx", "onnxruntime", 1e-4),
    "onnxruntime-int8": FileEngine("ONNX Runtime int8", "int8.onnx", "onnxruntime", INT8_TOLERANCE),
    "litert-float32": FileEngine("LiteRT float32", "float.tflite", "ai_edge_litert", 1e-4),
    "litert-int8": FileEngine("LiteRT int8", "int8.tflite", "ai_edge_litert", INT8_TOLERANCE),
}


@dataclass(frozen=True)
class Loaded:
    """An engine with a file.

    Attributes:
        run: From an image (1, C, H, W) to logits.
        handed: From an image to a call that computes on it, and is timed.
        kernels: How many layers with weights run on which of the engine's kernels; empty: it does
            not tell.
    """

    run: Run
    handed: Callable[[Floats], Callable[[], object]]
    kernels: Counter[str] = field(default_factory=Counter)


def missing(name: str) -> str:
    """Return why an engine cannot run here, or nothing."""
    package = FILE_ENGINES[name].package
    return "" if importlib.util.find_spec(package) else f"{package} is not installed"


def load(name: str, model: bytes) -> Loaded:
    """Load a file into one of `FILE_ENGINES`.

    Raises:
        BackendError: It does not run as it should, such as int8 in floats.
    """
    if name.startswith("litert"):
        from bnas_deploy.rivals.litert import Interpreter  # noqa: PLC0415 - not always installed

        interpreter = Interpreter(model)
        return Loaded(interpreter.run, interpreter.handed)
    if name.startswith("openvino"):
        from bnas_deploy.rivals import openvino  # noqa: PLC0415 - as above

        compiled = openvino.checked(name, model)
        run = openvino.runner(compiled)
        return Loaded(run, lambda image: partial(run, image), openvino.kernels(compiled))
    run = onnx_runtime.runner(model)
    return Loaded(run, lambda image: partial(run, image))
