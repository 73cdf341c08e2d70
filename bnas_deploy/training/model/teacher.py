"""The trained network that another one learns from: reading it, and telling which one it is."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bnas_deploy.checkpoints.torch_file import check_kind, load_bytes, read_bytes
from bnas_deploy.errors import CheckpointError, UsageError
from bnas_deploy.format.program import Preprocessing
from bnas_deploy.networks.build import AnyNetwork
from bnas_deploy.shown import shown, some
from bnas_deploy.training.model.trained_model import FORMAT, VERSION, model_of

__all__ = ["Teacher", "check_classes", "load_teacher", "load_teacher_again"]

_ACCURACIES = ("test_accuracy", "validation_accuracy")
_TEXTS = ("path", "sha256")


@dataclass(frozen=True)
class Teacher:
    """A trained network that answers for a student to learn from.

    Attributes:
        network: In evaluation mode; none of its weights takes a gradient.
        preprocessing: From pixels to its inputs.
        labels: Class names in the order of its logits.
        path: Of its file, absolute.
        sha256: Of the file's bytes.
        training: What the file says of its training.
    """

    network: AnyNetwork
    preprocessing: Preprocessing
    labels: tuple[str, ...]
    path: str
    sha256: str
    training: Mapping[str, Any]

    def account(self) -> dict[str, object]:
        """Return what model.pt says of it; no path of the machine is in it."""
        accuracies = {name: self.training.get(name) for name in _ACCURACIES}
        return {
            "file": Path(self.path).name,
            "sha256": self.sha256,
            "config": self.network.config.name,
            "binary": self.network.binary,
            "dataset": self.training.get("dataset"),
            **accuracies,
        }

    def origin(self) -> dict[str, object]:
        """Return what a checkpoint needs to find it again."""
        return {**self.account(), "path": self.path}

    def __str__(self) -> str:
        kind = "binary" if self.network.binary else "float"
        said = [
            f"{accuracy:.2%} on its {name.partition('_')[0]} images"
            for name in _ACCURACIES
            if isinstance(accuracy := self.training.get(name), float)
        ]
        says = f", says {said[0]}" if said else ""
        return f"{self.network.config.name} ({kind}{says}) of {Path(self.path).name}"


def load_teacher(path: str | os.PathLike[str]) -> Teacher:
    """Read a teacher from a `model.pt`.

    Raises:
        CheckpointError: The file is missing or damaged, or no `model.pt`.
    """
    data = read_bytes(path)
    value = check_kind(path, load_bytes(path, data), kind=FORMAT, version=VERSION)
    model = model_of(path, value, held=len(data))
    model.network.requires_grad_(False)
    return Teacher(
        model.network,
        model.preprocessing,
        model.labels,
        path=str(Path(path).resolve()),
        sha256=hashlib.sha256(data).hexdigest(),
        training=model.training,
    )


def load_teacher_again(
    source: str | os.PathLike[str], origin: object, path: str | os.PathLike[str] | None = None
) -> Teacher:
    """Read the teacher of a run that goes on.

    Args:
        source: The run's checkpoint, for messages.
        origin: What `Teacher.origin` returned.
        path: Where it is now; None: where it was.

    Raises:
        CheckpointError: It is not there, or is another file than it was.
    """
    if not isinstance(origin, dict) or not all(isinstance(origin.get(n), str) for n in _TEXTS):
        msg = f"{source}: teacher must say path and sha256 of a file; got {shown(origin)}"
        raise CheckpointError(msg)
    path = origin["path"] if path is None else path
    if not Path(path).is_file():
        msg = f"{source}: the run's teacher, {path}, is not there; say where with --teacher MODEL"
        raise CheckpointError(msg)
    teacher = load_teacher(path)
    if teacher.sha256 != origin["sha256"]:
        msg = (
            f"{path}: another file than the run's teacher: its SHA-256 was"
            f" {origin['sha256'][:16]}…, and is {teacher.sha256[:16]}…; say where the teacher is"
            " with --teacher MODEL, or train again"
        )
        raise CheckpointError(msg)
    return teacher


def check_classes(teacher: Teacher, classes: Sequence[str]) -> None:
    """Check that a teacher answers with the classes of the data, in the same order.

    Raises:
        UsageError: It does not.
    """
    if teacher.labels == tuple(classes):
        return
    where = f"--teacher {teacher.path}"
    missing = [name for name in classes if name not in teacher.labels]
    strange = [name for name in teacher.labels if name not in classes]
    if missing or strange:
        found = [f"it does not know {some(missing, 3)}"] if missing else []
        found += [f"the data lacks {some(strange, 3)}"] if strange else []
        msg = f"{where}: its classes must be those of the data: {'; '.join(found)}"
    else:
        msg = (
            f"{where}: its classes must be in the order of the data; expected"
            f" {some(list(classes), 4)}; got {some(list(teacher.labels), 4)}"
        )
    raise UsageError(msg)
