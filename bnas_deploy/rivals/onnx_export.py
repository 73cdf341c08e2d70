"""Networks of PyTorch as ONNX, float32 and int8 (static QDQ by ONNX Runtime)."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

__all__ = ["export"]

Floats = npt.NDArray[np.float32]


class _Calibration(CalibrationDataReader):  # type: ignore[misc]
    """Feeds the calibration images one by one."""

    def __init__(self, batch: Floats) -> None:
        self._images: Iterator[dict[str, Floats]] = iter(
            [{"image": image[None]} for image in batch]
        )

    def get_next(self) -> dict[str, Floats] | None:
        return next(self._images, None)


def export(network: torch.nn.Module, batch: Floats, *, int8: bool = False) -> bytes:
    """Export a network to ONNX, folding BatchNorm; in int8 calibrated on `batch`.

    Args:
        network: In evaluation mode.
        batch: Calibration images, float32 (N, C, H, W); the graph's batch size is 1.
        int8: Quantize activations to uint8 and weights to int8, one scale a
            channel (what ONNX Runtime documents as fastest on x86 with VNNI).
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float.onnx"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network,
                (torch.from_numpy(batch[:1]),),
                str(path),
                input_names=["image"],
                output_names=["logits"],
                dynamo=False,
                opset_version=17,
            )
        if int8:
            path = _quantize(path, batch)
        return path.read_bytes()


def _quantize(path: Path, batch: Floats) -> Path:
    prepared, result = path.with_name("prepared.onnx"), path.with_name("int8.onnx")
    quant_pre_process(str(path), str(prepared))
    quantize_static(
        str(prepared),
        str(result),
        _Calibration(batch),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    return result
