"""From an ONNX file to a packed model with its report; the call for Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bnas_deploy.converters.eight_bit.facts import EightBitOptions
from bnas_deploy.converters.from_onnx.source import onnx_source
from bnas_deploy.converters.packing.check import CheckOptions
from bnas_deploy.converters.packing.convert import convert_source
from bnas_deploy.converters.packing.model_file import ModelFile
from bnas_deploy.converters.packing.report import Report
from bnas_deploy.format import PackedModel, Preprocessing

__all__ = ["convert_onnx"]


def convert_onnx(
    path: Path | str,
    *,
    allow_float: bool = False,
    sign_zero: str = "auto",
    labels: Sequence[str] | None = None,
    preprocessing: Preprocessing | None = None,
    images: npt.NDArray[np.float32] | int = 32,
    backend: str | None = None,
    threads: int = 1,
    eight_bit: EightBitOptions | None = None,
) -> tuple[PackedModel, Report]:
    """Convert a binary ONNX model, and compare it with ONNX Runtime.

    Args:
        path: The model; external data lies beside it.
        allow_float: Whether layers may stay in full precision.
        sign_zero: What Sign(0) = 0 becomes: `auto`, `exact` or `plus` (docs/onnx.md).
        labels: One per class (default: those in the model's metadata, or `class 0` and so on).
        preprocessing: How pictures become inputs (default: as the metadata say, or pixels from 0
            to 1).
        images: (N, ...) inputs of the self-check, or how many random ones; 0 for no self-check.
        backend: Of the self-check; None for the best.
        threads: Of the self-check.
        eight_bit: Which full-precision layers to put into 8 bits, and how (default: none).

    Raises:
        CheckpointError: The file cannot be read.
        ConversionError: The file is damaged, the model has obstacles (all are listed), or the
            packed program gives other answers than ONNX Runtime.
        FormatError: It does not fit the limits of the format.
        UsageError: An argument is not one of its values.
    """
    source = onnx_source(
        ModelFile(Path(path)),
        allow_float=allow_float,
        sign_zero=sign_zero,
        labels=None if labels is None else tuple(labels),
        preprocessing=preprocessing,
    )
    unchecked = isinstance(images, int) and images == 0
    check = None if unchecked else CheckOptions(images, backend, threads)
    return convert_source(source, check_options=check, eight_bit=eight_bit)
