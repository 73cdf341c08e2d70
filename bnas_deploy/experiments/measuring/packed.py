"""Accuracy of a packed network, with and without an 8-bit shortcut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bnas_deploy.runtime import model as runtime
from bnas_deploy.runtime.preprocess import normalise

if TYPE_CHECKING:
    from bnas_deploy.format.program import PackedModel
    from bnas_deploy.training.data.images import ImageData, ImageSet
    from bnas_deploy.training.model.trained_model import TrainedModel

__all__ = ["packed_accuracy", "with_8_bits"]

BATCH = 64
CALIBRATION = 512


def packed_accuracy(packed: PackedModel, images: ImageSet) -> float:
    """Return the share of images (of the network's size) that a packed file classifies correctly.

    Args:
        packed: From the converter.
        images: Of the test set.
    """
    model = runtime.Model(packed)
    slices = [slice(start, start + BATCH) for start in range(0, len(images), BATCH)]
    correct = 0
    for part, pixels in zip(slices, images.parts(slices), strict=True):
        logits = model.run(normalise(pixels, packed.preprocessing))
        correct += int(np.sum(logits.argmax(1) == images.labels[part]))
    return correct / len(images)


def with_8_bits(
    model: TrainedModel, data: ImageData, *, kinds: tuple[str, ...] = ("shortcut",)
) -> dict[str, float]:
    """Export a network and count: `packed_accuracy`, and with float layers in 8 bits, too.

    Args:
        model: A trained binary network.
        data: Its training images measure the ranges, its test images the accuracy.
        kinds: Which layers are put into 8 bits.

    Returns:
        `packed_accuracy`, and `packed_8bit_accuracy` where there was something to put into 8 bits.
    """
    # The converter needs torch, and a page is rendered without.
    from bnas_deploy.converters.eight_bit.facts import EightBitOptions  # noqa: PLC0415
    from bnas_deploy.converters.from_torch.convert import convert_trained  # noqa: PLC0415

    packed, _ = convert_trained(model)
    found = {"packed_accuracy": packed_accuracy(packed, data.test)}
    pixels = data.train.take(CALIBRATION).images
    options = EightBitOptions(kinds, normalise(pixels, packed.preprocessing))
    smaller, report = convert_trained(model, eight_bit=options)
    if report.eight_bit is not None and report.eight_bit.layers:
        found["packed_8bit_accuracy"] = packed_accuracy(smaller, data.test)
    return found
