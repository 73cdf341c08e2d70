"""The page about a trained network's answers, in its run's folder."""

from __future__ import annotations

from pathlib import Path

from bnas_deploy.evaluation.outcomes import Outcomes
from bnas_deploy.evaluation.page.folder import PAGE, write_report
from bnas_deploy.training.data.images import ImageSet
from bnas_deploy.training.data.stream import StreamedSet
from bnas_deploy.training.record.run_files import REPORT
from bnas_deploy.training.run.loop import Trainer
from bnas_deploy.training.run.selection import shipped

__all__ = ["report_on_training"]


def report_on_training(trainer: Trainer, folder: Path) -> Path | None:
    """Evaluate what ships and write the report.

    The test images are used, or the validation images where there are none.

    Args:
        trainer: At its end.
        folder: Of the run.

    Returns:
        The page; None where there are no such images.

    Raises:
        UsageError: The report cannot be written.
    """
    data = trainer.data
    split, images = ("test", data.test) if len(data.test) else ("validation", data.validation)
    if not len(images):
        return None
    with shipped(trainer):
        outcomes = _outcomes(trainer, images, split)
    name = trainer.network.config.name
    facts = {
        "network": name,
        "data": data.name,
        "pictures": f"the {len(images)} {split} images",
        "arithmetic": "PyTorch, float32",
    }
    write_report(folder / REPORT, f"{name} on {data.name}, {split} images", facts, outcomes)
    return folder / REPORT / PAGE


def _outcomes(trainer: Trainer, images: ImageSet | StreamedSet, split: str) -> Outcomes:
    outcomes = Outcomes(trainer.data.classes)
    paths = getattr(images, "paths", None)
    for part, pixels, rows in trainer.probabilities(images):
        for offset, row in enumerate(rows):
            index = part.start + offset
            name = paths[index] if paths else f"{split} image {index}"
            outcomes.add(name, pixels[offset], row, int(images.labels[index]))
    return outcomes
