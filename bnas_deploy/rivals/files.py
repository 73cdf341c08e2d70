"""Engines that run a file: which file, how exact answers must be, and what to call.

A file is made once and run wherever it is measured, also by a process whose engine is confined to
an older instruction set. Importing this needs no engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from bnas_deploy.extras import is_installed
from bnas_deploy.rivals.answers import Floats, Run, correlation, difference

__all__ = ["FILE_ENGINES", "FileEngine", "Loaded", "load", "missing"]


@dataclass(frozen=True)
class FileEngine:
    """One engine in one precision.

    Attributes:
        label: For people.
        file: Name of what it runs.
        package: What must be installed.
    """

    label: str
    file: str
    package: str

    @property
    def int8(self) -> bool:
        """Whether it computes in int8."""
        return self.file.startswith("int8")

    def fault(self, answers: Floats, right: Floats) -> str:
        """Return what is wrong with logits (N, classes) beside PyTorch's in float32, or nothing."""
        off = difference(answers, right)
        if not self.int8:
            return "" if off <= MOST_DIFFERENCE else f"its answers are {off:.1%} off PyTorch's"
        found = correlation(answers, right)
        if found >= LEAST_CORRELATION:
            return ""
        return f"its answers correlate with PyTorch's by {found:.2f} only"


MOST_DIFFERENCE = 1e-4
"""How far float32 answers may be off, as a share of the largest logit."""

LEAST_CORRELATION = 0.8
"""Of int8 answers: what is rounded away grows from layer to layer of networks of random weights."""

FILE_ENGINES: dict[str, FileEngine] = {
    "openvino-float32": FileEngine("OpenVINO float32", "float.onnx", "openvino"),
    "openvino-int8": FileEngine("OpenVINO int8", "int8.onnx", "openvino"),
    "onnxruntime-float32": FileEngine("ONNX Runtime float32", "float.onnx", "onnxruntime"),
    "onnxruntime-int8": FileEngine("ONNX Runtime int8", "int8.onnx", "onnxruntime"),
    "litert-float32": FileEngine("LiteRT float32", "float.tflite", "ai_edge_litert"),
    "litert-int8": FileEngine("LiteRT int8", "int8.tflite", "ai_edge_litert"),
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
    return "" if is_installed(package) else f"{package} is not installed"


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
    from bnas_deploy.rivals import onnx_runtime  # noqa: PLC0415 - as above

    run = onnx_runtime.runner(model)
    return Loaded(run, lambda image: partial(run, image))
