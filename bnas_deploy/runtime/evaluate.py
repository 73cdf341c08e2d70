"""Accuracy on pictures sorted into one folder per class, on disk or in a tar.

Splits and classes are found as in training (`class_folders`). Where there is a test split (or else
one for validation), only its pictures count. A tar is read as it is, never unpacked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bnas_deploy.errors import DataError, UsageError
from bnas_deploy.runtime.class_folders import TEST, TRAIN, UNSPLIT, VALIDATION, lay_out
from bnas_deploy.runtime.model import Model
from bnas_deploy.runtime.sources import Item, files_in, is_picture
from bnas_deploy.runtime.sources.tars import Tar
from bnas_deploy.runtime.stream import Answer, answers
from bnas_deploy.shown import some

__all__ = ["Accuracy", "LabelledPictures", "evaluate"]

SPLITS = (TEST, VALIDATION, UNSPLIT, TRAIN)
TOP_5_FROM = 10
EXPECTED = "expected a folder or a tar of [test/]<class>/pictures"


@dataclass
class Accuracy:
    """How often a model was right.

    Attributes:
        count: Number of pictures that could be read.
        top_1: How many of them got their own class.
        top_5: How many got it among the best five, or None with fewer than ten classes.
        errors: The pictures that could not be read, with the reason.
    """

    count: int = 0
    top_1: int = 0
    top_5: int | None = None
    errors: list[Answer] = field(default_factory=list)

    def add(self, answer: Answer) -> None:
        """Count one more picture."""
        if answer.logits is None:
            self.errors.append(answer)
            return
        order = (-answer.logits).argsort(kind="stable")
        self.count += 1
        self.top_1 += int(order[0] == answer.item.truth)
        if self.top_5 is not None:
            self.top_5 += int(answer.item.truth in order[:5])


class LabelledPictures:
    """The pictures of a folder or tar with their classes; iterating gives an `Item` for each.

    Args:
        source: The folder or tar file.
        labels: Names of the classes; each class folder bears one of them.

    Attributes:
        skipped: Names of files that count for no split, by the reason.

    Raises:
        DataError: There is nothing there, a tar is damaged or has a picture that is not read from
            tars (`Member.check`), or a class folder's name is not a label.
    """

    def __init__(self, source: str | os.PathLike[str], labels: Sequence[str]) -> None:
        self.source = Path(source)
        self._index = {label: i for i, label in enumerate(labels)}
        layout = lay_out(self._all_names(), labels)
        self.skipped = layout.skipped
        found = (layout.pictures[split] for split in SPLITS if split in layout.pictures)
        self._classes = next(found, {})
        self._check()

    def __len__(self) -> int:
        return len(self._classes)

    def __iter__(self) -> Iterator[Item]:
        if self.source.is_dir():
            for name in sorted(self._classes):
                yield self._item(name, self.source / name)
        else:
            yield from self._from_tar()

    def _item(self, name: str, picture: Path | bytes) -> Item:
        shown = str(self.source / name)
        return Item(shown, picture, self._index[self._classes[name]])

    def _from_tar(self) -> Iterator[Item]:
        for member in Tar(self.source, EXPECTED):
            if member.name in self._classes:
                yield self._item(member.name, member.read())

    def _all_names(self) -> list[str]:
        if self.source.is_dir():
            return [name for name, _ in files_in(self.source)]
        names = []
        for member in Tar(self.source, EXPECTED):
            if is_picture(member.name):
                member.check()
            names.append(member.name)
        return names

    def _check(self) -> None:
        if not self._classes:
            msg = f"{self.source}: found no pictures in folders named after classes (test/<class>/)"
            raise DataError(msg)
        unknown = sorted(set(self._classes.values()) - set(self._index))
        if unknown:
            msg = (
                f"{self.source}: class folders that are not labels of the model: {some(unknown)};"
                f" the labels are: {some(list(self._index))}"
            )
            raise DataError(msg)


def evaluate(
    model: Model,
    pictures: LabelledPictures,
    *,
    batch: int = 64,
    workers: int | None = None,
    watch: Callable[[Iterable[Answer]], Iterable[Answer]] = iter,
) -> Accuracy:
    """Count a model's right answers.

    Args:
        model: The model.
        pictures: What to look at; read as it goes, so that any number fits in memory.
        batch: Number of pictures to run together.
        workers: Number of threads that decode pictures, as for `answers`.
        watch: Sees every answer pass, for example to draw a progress bar.

    Raises:
        UsageError: The model has a single label.
    """
    if len(model.labels) == 1:
        msg = (
            f"the model has one label, {model.labels[0]!r}, so no folder holds its other answer;"
            " pack it again with two names (--labels), the one below 0 first"
        )
        raise UsageError(msg)
    result = Accuracy(top_5=0 if len(model.labels) >= TOP_5_FROM else None)
    for answer in watch(answers(model, pictures, batch=batch, workers=workers)):
        result.add(answer)
    return result
