"""LiteRT (TensorFlow Lite) with XNNPACK, float32 and int8.

Making a file needs litert-torch, running one only its interpreter. Images are (1, H, W, C) inside.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.errors import BackendError

if TYPE_CHECKING:
    import torch

__all__ = ["Interpreter", "export", "quantize"]

Floats = npt.NDArray[np.float32]
CHANNELS_LAST = (0, 2, 3, 1)


def export(network: torch.nn.Module, image: Floats) -> bytes:
    """Convert a float network.

    Args:
        network: In evaluation mode.
        image: float32 (1, C, H, W).
    """
    with warnings.catch_warnings(), _quiet():
        warnings.simplefilter("ignore")
        import litert_torch  # noqa: PLC0415 - it takes seconds
        import torch  # noqa: PLC0415 - running a file does without

        last = litert_torch.to_channel_last_io(network, args=[0]).eval()
        made = litert_torch.convert(last, (torch.from_numpy(_channels_last(image)),))
        return _content(made.export)


def quantize(model: bytes, batch: Floats) -> bytes:
    """Put a float file into int8, weights and activations, calibrated on images (N, C, H, W)."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), _quiet():
        warnings.simplefilter("ignore")
        from ai_edge_quantizer import quantizer, recipe  # noqa: PLC0415 - it takes seconds

        path = Path(folder) / "float.tflite"
        path.write_bytes(model)
        tool = quantizer.Quantizer(str(path))
        tool.load_quantization_recipe(recipe.static_wi8_ai8())
        (name, signature), *_ = Interpreter(model).signatures.items()
        (argument,) = signature["inputs"]
        images = [{argument: _channels_last(image[None])} for image in batch]
        quantized = tool.quantize(tool.calibrate({name: images}))
        return _content(quantized.export_model)


class Interpreter:
    """A file that runs, on one thread, with XNNPACK.

    Attributes:
        signatures: Names of inputs and outputs, by name.

    Raises:
        BackendError: XNNPACK takes no part of it.
    """

    def __init__(self, model: bytes) -> None:
        from ai_edge_litert.interpreter import Interpreter as Engine  # noqa: PLC0415 - as above

        with _quiet():
            self._engine: Any = Engine(model_content=model, num_threads=1)
            self._engine.allocate_tensors()
        self.signatures = self._engine.get_signature_list()
        (self._input,) = self._engine.get_input_details()
        (self._output,) = self._engine.get_output_details()
        if "DELEGATE" not in [step["op_name"] for step in self._engine._get_ops_details()]:
            msg = "LiteRT runs this network without XNNPACK"
            raise BackendError(msg)

    def run(self, batch: Floats) -> Floats:
        """Map an image (1, C, H, W) to logits (1, classes)."""
        return self._real(self._invoke(self._native(batch)))

    def handed(self, batch: Floats) -> Callable[[], object]:
        """Return a call that computes on this image, which has the file's own type already."""
        native = self._native(batch)
        return lambda: self._invoke(native)

    def _invoke(self, image: npt.NDArray[Any]) -> npt.NDArray[Any]:
        self._engine.set_tensor(self._input["index"], image)
        self._engine.invoke()
        result: npt.NDArray[Any] = self._engine.get_tensor(self._output["index"])
        return result

    def _native(self, batch: Floats) -> npt.NDArray[Any]:
        image, (scale, zero) = _channels_last(batch), self._input["quantization"]
        if self._input["dtype"] is np.float32:
            return image
        whole = np.clip(np.rint(image / scale) + zero, -128, 127)
        return np.asarray(whole, np.int8)

    def _real(self, logits: npt.NDArray[Any]) -> Floats:
        scale, zero = self._output["quantization"]
        real = (logits.astype(np.float32) - zero) * scale if scale else logits
        return np.asarray(real, np.float32)


def _channels_last(batch: Floats) -> Floats:
    return np.ascontiguousarray(batch.transpose(CHANNELS_LAST))


def _content(write: Callable[[str], object]) -> bytes:
    """What something writes into a new file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        write(str(path))
        return path.read_bytes()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the progress that the libraries write, some of them below Python, off the terminal."""
    kept = [os.dup(stream) for stream in (1, 2)]
    with Path(os.devnull).open("wb") as nowhere:
        for stream in (1, 2):
            os.dup2(nowhere.fileno(), stream)
        try:
            yield
        finally:
            for stream, copy in zip((1, 2), kept, strict=True):
                os.dup2(copy, stream)
                os.close(copy)
