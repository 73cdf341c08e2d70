"""What is measured once after training, and kept beside the network."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bnas_deploy import atomic
from bnas_deploy.errors import UsageError
from bnas_deploy.experiments.definition import Measure
from bnas_deploy.experiments.measuring.packed import with_8_bits
from bnas_deploy.experiments.results import DONE, JobResult
from bnas_deploy.runtime.preprocess import normalise

if TYPE_CHECKING:
    from bnas_deploy.training.data.images import ImageData
    from bnas_deploy.training.model.trained_model import TrainedModel

__all__ = ["MEASURES", "evaluate_shipped", "measured"]

MEASURES = "measures.json"
BATCH = 100


def measured(folder: Path, model: Path, measure: Measure, *, on: ImageData) -> dict[str, float]:
    """Return what a measure gives for a model file, from the folder if it is there already.

    Args:
        folder: Of the job.
        model: A `model.pt`.
        measure: Is asked if it was not yet, or of another file.
        on: The images.
    """
    from bnas_deploy.training.model.trained_model import load_model  # noqa: PLC0415 - it needs torch

    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    kept = _read(folder / MEASURES)
    if kept.get("sha256") == digest and isinstance(kept.get("measures"), dict):
        return dict(kept["measures"])  # type: ignore[call-overload,no-any-return]
    found = measure(load_model(model), on)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"sha256": digest, "measures": found}, indent=1)
    atomic.write_text(folder / MEASURES, text + "\n")
    return found


def evaluate_shipped(folder: Path, path: Path, data: ImageData, *, variant: str) -> JobResult:
    """Evaluate a model file on all test images, in PyTorch and packed.

    Args:
        folder: Keeps the result.
        path: The model file.
        data: Of the model's classes.
        variant: Name of the row.

    Raises:
        UsageError: The classes of the images are not the model's.
        CheckpointError: The file cannot be read.
    """
    from bnas_deploy.training.model.trained_model import load_model  # noqa: PLC0415 - it needs torch

    model = load_model(path)
    if model.labels != data.classes:
        msg = f"{path} knows {', '.join(model.labels)}; the images are {', '.join(data.classes)}"
        raise UsageError(msg)
    metrics = measured(folder, path, _all_accuracies, on=data)
    training = model.training
    return JobResult(
        variant=variant, seed=int(training.get("seed", 0)), status=DONE,
        seconds=float(training.get("seconds", 0)), runtime=str(training.get("runtime", "")),
        data=data.name, metrics=metrics,
    )  # fmt: skip


def _all_accuracies(model: TrainedModel, data: ImageData) -> dict[str, float]:
    return {"test_accuracy": _accuracy(model, data), **with_8_bits(model, data)}


def _accuracy(model: TrainedModel, data: ImageData) -> float:
    """Of PyTorch in float32."""
    from bnas_deploy.converters.from_torch.source import torch_logits  # noqa: PLC0415

    images = data.test
    slices = [slice(start, start + BATCH) for start in range(0, len(images), BATCH)]
    right = 0
    for part, pixels in zip(slices, images.parts(slices), strict=True):
        logits = torch_logits(model.network, normalise(pixels, model.preprocessing))
        right += int(np.sum(logits.argmax(1) == images.labels[part]))
    return right / len(images)


def _read(path: Path) -> dict[str, object]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
