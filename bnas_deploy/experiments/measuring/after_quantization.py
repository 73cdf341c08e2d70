"""Accuracy as it is deployed: float networks in int8, packed ones with their float layers so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bnas_deploy.experiments.measuring.packed import CALIBRATION, with_8_bits
from bnas_deploy.runtime.preprocess import normalise

if TYPE_CHECKING:
    from bnas_deploy.training.data.images import ImageData
    from bnas_deploy.training.model.trained_model import TrainedModel

__all__ = ["after_quantization"]


def after_quantization(model: TrainedModel, data: ImageData) -> dict[str, float]:
    """Quantize after training, with ranges measured on training images, and count right answers.

    Args:
        model: A trained network; binary ones are packed, float ones go to ONNX Runtime.
        data: Its training images measure the ranges, its test images the accuracy.

    Returns:
        `packed_accuracy` and `packed_8bit_accuracy` (stem, shortcuts and classifier in 8 bits) of
        a binary network, `int8_accuracy` of a float one.
    """
    if model.network.binary:
        # The converter needs torch, and a page is rendered without.
        from bnas_deploy.converters.eight_bit.facts import KINDS  # noqa: PLC0415

        return with_8_bits(model, data, kinds=KINDS)
    return {"int8_accuracy": _int8_accuracy(model, data)}


def _int8_accuracy(model: TrainedModel, data: ImageData) -> float:
    from bnas_deploy.rivals import onnx_export, onnx_runtime  # noqa: PLC0415 - it needs torch

    batch = normalise(data.train.take(CALIBRATION).images, model.preprocessing)
    run = onnx_runtime.runner(onnx_export.export(model.network, batch, int8=True))
    images = data.test
    right = 0
    for index in range(len(images)):
        (pixels,) = images.parts([slice(index, index + 1)])
        logits = run(normalise(pixels, model.preprocessing))
        right += int(np.argmax(logits) == images.labels[index])
    return right / len(images)
