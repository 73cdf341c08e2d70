"""Labels and preprocessing of a release's checkpoint: as given, or by its stem and classes."""

from __future__ import annotations

from dataclasses import replace

from bnas_deploy.converters.packing.source import numbered_labels
from bnas_deploy.errors import UsageError
from bnas_deploy.format import Preprocessing
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.training.data.preprocessing import PREPROCESSING

__all__ = ["CIFAR10", "known_preprocessing", "labels_for", "preprocessing_for"]

CIFAR10 = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
"""CIFAR-10's class names in the order of the logits."""


def labels_for(config: NetworkConfig, given: tuple[str, ...] | None) -> tuple[tuple[str, ...], str]:
    """The labels of a checkpoint, and what the report says of them."""
    classes = config.classes
    if given is not None:
        return given, "labels: given"
    if (config.dataset, classes) == ("cifar10", len(CIFAR10)):
        return CIFAR10, "labels: cifar10 (by its stem and number of classes)"
    note = f"labels: class 0 to class {classes - 1} (give names with --labels)"
    return numbered_labels(classes), note


def preprocessing_for(dataset: str, given: Preprocessing | None) -> tuple[Preprocessing, str]:
    """The preprocessing of a checkpoint, and what the report says of it.

    Raises:
        UsageError: The one given is not square.
    """
    pixels = known_preprocessing(dataset) if given is None else given
    height, width = pixels.crop
    if height != width:
        msg = f"--preprocessing: expected a square size; got {[height, width]}"
        raise UsageError(msg)
    how = "given" if given else f"{dataset} (by its stem)"
    return pixels, f"preprocessing: {how}, {height} x {width} pixels"


def known_preprocessing(dataset: str) -> Preprocessing:
    """What goes with a data set of the paper, `cifar10` or `imagenet`."""
    # ImageNet's networks are evaluated on the centre of a picture resized to 256.
    known = PREPROCESSING[dataset]
    return replace(known, resize=256) if dataset == "imagenet" else known
