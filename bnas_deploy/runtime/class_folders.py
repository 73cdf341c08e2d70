"""Which pictures belong to which split and class, from the names of files; reads no pictures."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bnas_deploy.errors import DataError
from bnas_deploy.runtime.sources import is_picture
from bnas_deploy.shown import safe, some

__all__ = ["TEST", "TRAIN", "UNSPLIT", "VALIDATION", "Layout", "lay_out", "told_of_skipped"]

TRAIN, VALIDATION, TEST, UNSPLIT = "train", "val", "test", ""

_SPLITS = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation"), VALIDATION),
    **dict.fromkeys(("test", "testing"), TEST),
}
"""Names of folders, in lower case, and which split each is."""

NOT_A_PICTURE = "no picture by its ending"
NO_CLASS = "in no folder of a class"
NO_SPLIT = "beside the folders of the splits"


@dataclass
class Layout:
    """How a data set is laid out.

    Attributes:
        pictures: By split, the class of each picture by its file's name, sorted by class and name.
            All are `UNSPLIT` where no folder is called train, val or test.
        skipped: Names of the other files that are not hidden, by the reason.
    """

    pictures: dict[str, dict[str, str]] = field(default_factory=dict)
    skipped: dict[str, list[str]] = field(default_factory=dict)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes of all splits, sorted."""
        return tuple(
            sorted({label for split in self.pictures.values() for label in split.values()})
        )

    @property
    def names(self) -> list[str]:
        """Names of the pictures of all splits."""
        return [name for split in self.pictures.values() for name in split]

    def leave_out(self, names: Collection[str], reason: str) -> None:
        """Move pictures to the skipped files."""
        for split, pictures in list(self.pictures.items()):
            gone = [name for name in pictures if name in names]
            if gone:
                self.skipped.setdefault(reason, []).extend(gone)
                kept = {n: label for n, label in pictures.items() if n not in names}
                self.pictures[split] = kept
        self.pictures = {split: rows for split, rows in self.pictures.items() if rows}

    def check_classes(self, source: object) -> None:
        """Check that every split has every class.

        Raises:
            DataError: One lacks some; the message names them.
        """
        for split, pictures in self.pictures.items():
            missing = sorted(set(self.classes) - set(pictures.values()))
            if missing:
                msg = (
                    f"{source}: no pictures in {split} of {some(missing)}; every split needs"
                    " pictures of every class: add some, or take these classes out of the others"
                )
                raise DataError(msg)


def told_of_skipped(skipped: Mapping[str, Sequence[str]]) -> list[str]:
    """Return lines for people: how many files were left out, why, and which."""
    return [
        f"left out, {reason}: {some([safe(name) for name in names], 5)}"
        for reason, names in skipped.items()
    ]


def lay_out(names: Iterable[str], known: Collection[str] = ()) -> Layout:
    """Find splits and classes among the files of a folder or tar.

    Folders that hold one folder and nothing else of interest are passed through. There, folders
    called train, val (valid, validation) or test are splits, in any case; without one, everything
    is one part without a split. The folders inside are the classes, and whatever pictures lie
    below a class belong to it.

    Args:
        names: Of the files, relative to the folder or tar, with forward slashes.
        known: Names of classes, where they are known: folders of these names are not passed
            through.
    """
    layout = Layout()
    pictures = []
    for name in names:
        if is_picture(name):
            pictures.append(name)
        elif not _is_hidden(name):
            layout.skipped.setdefault(NOT_A_PICTURE, []).append(name)
    root, split = _root([_parts(name) for name in pictures], known)
    for name in pictures:
        _place(layout, name, root, split=split)
    layout.pictures = {split: _sorted(rows) for split, rows in sorted(layout.pictures.items())}
    return layout


def _root(pictures: list[list[str]], known: Collection[str]) -> tuple[int, bool]:
    """Return how many folders to pass through, and whether splits lie there."""
    deep = [parts for parts in pictures if len(parts) > 1]
    level = 0
    while True:
        folders = {parts[level] for parts in deep}
        inside = [parts for parts in deep if len(parts) > level + 2]
        if any(name.lower() in _SPLITS for name in {parts[level] for parts in inside}):
            return level, True
        if len(folders) != 1 or not inside or folders <= set(known):
            return level, False
        deep, level = inside, level + 1


def _place(layout: Layout, name: str, root: int, *, split: bool) -> None:
    parts = _parts(name)[root:]
    part = _SPLITS.get(parts[0].lower()) if split else UNSPLIT
    folders = parts[int(split) : -1]
    if part is None or not folders:
        reason = NO_SPLIT if part is None else NO_CLASS
        layout.skipped.setdefault(reason, []).append(name)
        return
    layout.pictures.setdefault(part, {})[name] = folders[0]


def _sorted(rows: dict[str, str]) -> dict[str, str]:
    return dict(sorted(rows.items(), key=lambda row: (row[1], row[0])))


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in _parts(name))


def _parts(name: str) -> list[str]:
    # Tars may call their files ./train/cat/0.jpg.
    return [part for part in name.split("/") if part not in ("", ".")]
