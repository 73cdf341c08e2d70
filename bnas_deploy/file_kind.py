"""What kind of file something is, by its first bytes, for messages about the wrong file."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bnas_deploy.shown import shown

__all__ = ["FileKind", "what_bytes_are", "what_is"]

HEAD = 4096
"""Bytes that are looked at."""

SHORTEST_LINE = 4
"""Characters with which the first line of a text begins to say something."""

_MODELS = ("*.bnn", "*.onnx", "*.tflite", "model.pt")
"""What is named of a folder's files; `checkpoint.pt` is not a model to pack or run."""


@dataclass(frozen=True)
class FileKind:
    """A kind of file; as text, ``an ONNX model (bnas-import packs it)``.

    Attributes:
        key: For programs: `bnn`, `torch`, `onnx`, `folder` and so on.
        name: For people, with its article.
        advice: What to do with such a file; may be empty.
    """

    key: str
    name: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.advice})" if self.advice else self.name


def what_is(path: str | os.PathLike[str]) -> FileKind | None:
    """Tell what lies at a path.

    Returns:
        None if there is nothing, it cannot be read, or it is of no known kind.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return _folder(path)
        if not path.is_file():  # opening a named pipe would wait for its other end
            return None
        with path.open("rb") as file:
            return what_bytes_are(file.read(HEAD))
    except (OSError, ValueError):
        return None


def what_bytes_are(content: bytes) -> FileKind | None:
    """Tell what a file is by its content; the first `HEAD` bytes are enough.

    Returns:
        None if it is of no known kind.
    """
    head = content[:HEAD]
    return next((kind for kind, fits in _KINDS if fits(head)), None) or _text(head)


def _folder(path: Path) -> FileKind:
    names = sorted(file.name for pattern in _MODELS for file in path.glob(pattern))
    return FileKind("folder", "a folder", f"it holds {', '.join(names[:3])}" if names else "")


def _is_safetensors(head: bytes) -> bool:
    # The length of a header in JSON, then the header.
    return len(head) > 8 and int.from_bytes(head[:8], "little") < 2**32 and head[8:9] == b"{"


def _is_bnn(head: bytes) -> bool:
    return _is_safetensors(head) and b'"bnas.' in head


def _is_torch(head: bytes) -> bool:
    # torch.save begins with the member NAME/data.pkl; before 2020 with a pickled magic number.
    name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    in_zip = head.startswith(b"PK\x03\x04") and name.endswith(b"/data.pkl")
    return in_zip or head.startswith(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.")


def _is_pt2(head: bytes) -> bool:
    # torch.export.save writes members of these names; which one is the first has changed.
    name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    return head.startswith(b"PK\x03\x04") and any(part in name for part in _PT2_MEMBERS)


_PT2_MEMBERS = (
    b"/archive_format", b"/data/constants/", b"/data/weights/", b"/models/",
    b"serialized_exported_program",
)  # fmt: skip


def _is_onnx(head: bytes) -> bool:
    # Protobuf: ir_version is field 1; a string, the graph or the opsets follow it.
    starts = len(head) > 2 and head[0] == 8 and 1 <= head[1] <= 64
    return starts and head[2] in _ONNX_FIELDS


_ONNX_FIELDS = tuple(number << 3 | 2 for number in (2, 3, 4, 6, 7, 8, 14))


def _is_web_page(head: bytes) -> bool:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return start.startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<!--"))


def _text(head: bytes) -> FileKind | None:
    # A server's answer instead of the file is often one line that says why.
    try:
        text = head.decode().strip()
    except UnicodeDecodeError:
        return None
    line = text.splitlines()[0] if text else ""
    is_text = len(line) >= SHORTEST_LINE and all(c.isprintable() or c.isspace() for c in text)
    return FileKind("text", f"a text that begins {shown(line)}") if is_text else None


def _is_picture(head: bytes) -> bool:
    starts = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"II*\x00", b"MM\x00*", b"BM")
    return head.startswith(starts) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def _is_archive(head: bytes) -> bool:
    return head.startswith((b"\x1f\x8b", b"\xfd7zXZ\x00", b"BZh")) or head[257:262] == b"ustar"


_KINDS: tuple[tuple[FileKind, Callable[[bytes], bool]], ...] = (
    (FileKind("empty", "an empty file"), lambda head: not head),
    (FileKind("bnn", "a .bnn file", "bnas-run runs it, bnas-inspect shows it"), _is_bnn),
    (FileKind("safetensors", "a safetensors file of another program"), _is_safetensors),
    (FileKind("torch", "a file of PyTorch", "bnas-export packs a model.pt"), _is_torch),
    (FileKind("pt2", "a saved program of torch.export", "bnas-export packs it"), _is_pt2),
    (FileKind("zip", "a zip archive"), lambda head: head.startswith(b"PK\x03\x04")),
    (
        FileKind("tflite", "a TensorFlow Lite model", "bnas-import packs it"),
        lambda head: head[4:8] == b"TFL3",
    ),
    (FileKind("onnx", "an ONNX model", "bnas-import packs it"), _is_onnx),
    (
        FileKind("lfs", "a Git LFS pointer", "git lfs pull fetches the file itself"),
        lambda head: head.startswith(b"version https://git-lfs"),
    ),
    (FileKind("html", "a web page", "fetch the file itself once more"), _is_web_page),
    (FileKind("picture", "a picture"), _is_picture),
    (FileKind("archive", "a tar or another compressed file"), _is_archive),
    (FileKind("pickle", "a Python pickle"), lambda head: head[:1] == b"\x80"),
)
"""In the order of asking: a header's length may look like the start of something else."""
