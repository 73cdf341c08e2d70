"""Accuracy on pictures sorted into one folder per class, on disk or in a tar.

A picture's class is the name of the folder that it lies in. Where some lie in ``test/<class>`` (or
else in ``val/<class>``), only those count. A tar is read as it is, never unpacked.
"""

from __future__ import annotations

import os
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from lzma import LZMAError
from pathlib import Path, PurePosixPath

from bnas_deploy.errors import DataError
from bnas_deploy.runtime.model import Model
from bnas_deploy.runtime.sources import Item, is_picture, pictures_in
from bnas_deploy.runtime.stream import Answer, answers

__all__ = ["Accuracy", "LabelledPictures", "evaluate"]

SPLITS = ("test", "val")
TOP_5_FROM = 10


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

    Raises:
        DataError: There is nothing there, or a class folder's name is not a label.
    """

    def __init__(self, source: str | os.PathLike[str], labels: Sequence[str]) -> None:
        self.source = Path(source)
        self._index = {label: i for i, label in enumerate(labels)}
        self._names = frozenset(_counted(self._all_names()))
        self._check()

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[Item]:
        if self.source.is_dir():
            for name in sorted(self._names):
                yield self._item(name, self.source / name)
        else:
            yield from self._from_tar()

    def _item(self, name: str, picture: Path | bytes) -> Item:
        shown = str(self.source / name)
        return Item(shown, picture, self._index[PurePosixPath(name).parent.name])

    def _from_tar(self) -> Iterator[Item]:
        with _open_tar(self.source) as tar:
            for member in tar:
                file = tar.extractfile(member) if member.name in self._names else None
                if file is not None:
                    yield self._item(member.name, file.read())

    def _all_names(self) -> list[str]:
        if self.source.is_dir():
            return [path.relative_to(self.source).as_posix() for path in pictures_in(self.source)]
        with _open_tar(self.source) as tar:
            return [member.name for member in tar if member.isfile() and is_picture(member.name)]

    def _check(self) -> None:
        if not self._names:
            msg = f"{self.source}: found no pictures in folders named after classes (test/<class>/)"
            raise DataError(msg)
        found = {PurePosixPath(name).parent.name for name in self._names}
        unknown = sorted(found - set(self._index))
        if unknown:
            msg = (
                f"{self.source}: class folders that are not labels of the model: {_some(unknown)};"
                f" the labels are: {_some(list(self._index))}"
            )
            raise DataError(msg)


def evaluate(
    model: Model,
    pictures: LabelledPictures,
    *,
    batch: int = 64,
    watch: Callable[[Iterable[Answer]], Iterable[Answer]] = iter,
) -> Accuracy:
    """Count a model's right answers.

    Args:
        model: The model.
        pictures: What to look at; read as it goes, so that any number fits in memory.
        batch: Number of pictures to run together.
        watch: Sees every answer pass, for example to draw a progress bar.
    """
    result = Accuracy(top_5=0 if len(model.labels) >= TOP_5_FROM else None)
    for answer in watch(answers(model, pictures, batch=batch)):
        result.add(answer)
    return result


def _counted(names: list[str]) -> list[str]:
    """Those in the first of `SPLITS` that is there; all of them, if none is."""
    sorted_in = [name for name in names if len(PurePosixPath(name).parts) >= 2]
    for split in SPLITS:
        chosen = [name for name in sorted_in if PurePosixPath(name).parent.parent.name == split]
        if chosen:
            return chosen
    return sorted_in


def _some(names: list[str], most: int = 12) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown}, … ({len(names)} in all)"


@contextmanager
def _open_tar(path: Path) -> Iterator[tarfile.TarFile]:
    """Open a tar of any compression; a broken one is a `DataError` whenever that shows."""
    try:
        with tarfile.open(path) as tar:
            yield tar
    except (tarfile.TarError, LZMAError, zlib.error, EOFError) as error:
        reason = str(error).partition("\n")[0].rstrip(":")
        msg = f"{path}: neither a folder nor a readable tar file ({reason})"
        raise DataError(msg) from error
    except OSError as error:
        msg = f"{path}: {error.strerror or error}"
        raise DataError(msg) from error
