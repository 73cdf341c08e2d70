"""The same server with other engines behind it, and starting one or the other.

As a program it serves FOLDER/packed.bnn with ONNX Runtime on FOLDER/ENGINE.onnx:
python -m load.engines FOLDER ENGINE
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from bnas_deploy.rivals import onnx_runtime
from bnas_deploy.runtime.model import Model, load
from bnas_deploy.serving.app import make_app
from bnas_deploy.serving.limits import Gate, Limits
from bnas_deploy.serving.metrics import Metrics
from bnas_deploy.serving.server import listen, run
from bnas_deploy.serving.service import Service
from bnas_deploy.serving.shelf import Shelf

__all__ = ["ENGINES", "Rival", "engine", "served"]

ENGINES = {
    "bnas": "bnas-serve",
    "float32": "ONNX Runtime float32",
    "int8": "ONNX Runtime int8",
}
NAME = "packed"
ROOT = Path(__file__).parents[2]


class Rival(Model):
    """A packed network whose numbers come from another engine; pictures and labels do not."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(load(folder / "packed.bnn").packed)
        self._rival = onnx_runtime.runner((folder / f"{name}.onnx").read_bytes())
        self._name = name

    @property
    def backend(self) -> str:
        return self._name

    def run(self, images: np.ndarray) -> np.ndarray:
        return self._rival(images)


def engine(folder: Path, name: str) -> Model:
    """One of `ENGINES` in this process."""
    return load(folder / "packed.bnn") if name == "bnas" else Rival(folder, name)


@contextmanager
def served(folder: Path, name: str, *options: str) -> Iterator[tuple[int, str]]:
    """Serve with one of `ENGINES`, one request at a time: the process' number, and the address."""
    packed = str(folder / "packed.bnn")
    words = ["-m", "bnas_deploy", "serve", "--packed", packed, "--port", "0", "--workers", "1"]
    if name != "bnas":
        words = ["-m", "load.engines", str(folder), name]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "benchmarks"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths}
    command = [sys.executable, *words, *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        try:
            line = process.stderr.readline()
            found = re.search(r"http://[\d.:]+", line)
            if found is None:
                raise RuntimeError(line + process.stderr.read())
            yield process.pid, found[0]
        finally:
            process.terminate()


def _main(folder: Path, name: str) -> None:
    limits, metrics = Limits(), Metrics()
    shelf = Shelf(1, metrics, load=lambda _, threads: Rival(folder, name))
    shelf.add([str(folder / f"{NAME}.bnn")])
    listener = listen("127.0.0.1", 0)
    print(f"serving on http://127.0.0.1:{listener.getsockname()[1]}", file=sys.stderr, flush=True)
    app = make_app(Service(shelf, Gate(limits), metrics), reload_seconds=60)
    run(app, listener, limits.timeout)


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2])
