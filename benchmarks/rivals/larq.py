"""larq's Compute Engine (LCE): its TFLite interpreter, in a process of another environment.

It needs TensorFlow 2.15 and Python 3.11, so it cannot share this project's environment. The
process stays idle but for the calls that it is asked for.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["OPTIONS", "Interpreters"]

OPTIONS: dict[str, dict[str, bool]] = {
    "LCE defaults": {},
    "LCE xnnpack": {"use_xnnpack": True},
    "LCE indirect": {"use_indirect_bgemm": True},
    "LCE indirect, xnnpack": {"use_indirect_bgemm": True, "use_xnnpack": True},
}
"""All options of the interpreter but its reference kernels, by the name that a report shows."""

WORKER = Path(__file__).parent.parent / "larq_engine" / "worker.py"


class Interpreters:
    """One file, an interpreter for each of `OPTIONS`, in one process.

    Attributes:
        answers: What each makes of the inputs, float32 (N, classes), in the order of `OPTIONS`.
    """

    def __init__(self, python: str, model: Path, inputs: np.ndarray) -> None:
        """Start them and let them answer.

        Args:
            python: Of the environment that has larq-compute-engine.
            model: A .tflite file.
            inputs: (N, H, W, C), float32; calls are timed on the first.

        Raises:
            RuntimeError: The process ended; what it wrote stands above.
        """
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "inputs.npy"
            np.save(file, inputs)
            command = [python, WORKER, model, file, json.dumps([*OPTIONS.values()])]
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            self.answers = [np.array(answer, np.float32) for answer in self._line()]

    def times(self, index: int, calls: int) -> list[tuple[float, float]]:
        """Seconds, and seconds of the processor, of so many calls of one of them."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{index} {calls}\n")
        self._process.stdin.flush()
        return [(wall, cpu) for wall, cpu in self._line()]

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _line(self) -> Any:  # noqa: ANN401 - as JSON has it
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.close()
            msg = f"larq's interpreter ended with status {self._process.returncode}"
            raise RuntimeError(msg)
        return json.loads(line)
