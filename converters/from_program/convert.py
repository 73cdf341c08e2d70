"""From any PyTorch module to a packed model with its report; the call for Python."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from bnas_deploy.converters.eight_bit.facts import EightBitOptions
from bnas_deploy.converters.from_program.export import exported_module
from bnas_deploy.converters.from_program.source import program_source
from bnas_deploy.converters.packing.check import CheckOptions
from bnas_deploy.converters.packing.convert import convert_source
from bnas_deploy.converters.packing.report import Report
from bnas_deploy.format import PackedModel, Preprocessing

__all__ = ["convert_module"]


def convert_module(
    module: nn.Module,
    example_input: torch.Tensor,
    *,
    labels: Sequence[str] | None = None,
    preprocessing: Preprocessing | None = None,
    allow_float: bool = False,
    sign_zero: str = "auto",
    images: npt.NDArray[np.float32] | int = 32,
    backend: str | None = None,
    threads: int = 1,
    eight_bit: EightBitOptions | None = None,
) -> tuple[PackedModel, Report]:
    """Convert any module as it runs in evaluation mode, and compare it with the module.

    Args:
        module: With trained weights in float32; it is not changed.
        example_input: (N, C, H, W), (N, H, W, C) or (N, K), float32: what the module reads. Its
            numbers do not matter.
        labels: One per class (default: `class 0` and so on).
        preprocessing: How pictures become inputs (default: pixels from 0 to 1).
        allow_float: Whether layers may stay in full precision.
        sign_zero: What Sign(0) = 0 becomes: `auto`, `exact` or `plus` (docs/onnx.md).
        images: (N, ...) inputs of the self-check, or how many random ones; 0 for no self-check.
        backend: Of the self-check; None for the best.
        threads: Of the self-check.
        eight_bit: Which full-precision layers to put into 8 bits, and how (default: none).

    Returns:
        The packed model, and what was removed, folded, kept and found by the check.

    Raises:
        ConversionError: torch.export cannot follow the module, it has obstacles (all are listed),
            or the packed program gives other answers than the module.
        FormatError: It does not fit the limits of the format.
        UsageError: An argument is not one of its values.
    """
    source = program_source(
        exported_module(module, example_input),
        allow_float=allow_float,
        sign_zero=sign_zero,
        labels=None if labels is None else tuple(labels),
        preprocessing=preprocessing,
    )
    unchecked = isinstance(images, int) and images == 0
    check = None if unchecked else CheckOptions(images, backend, threads)
    return convert_source(source, check_options=check, eight_bit=eight_bit)
