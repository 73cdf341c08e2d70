"""Tests of reading tars: what is refused, the same way by every command, and what damage says."""

from __future__ import annotations

import io
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from bnas_deploy.errors import DataError
from bnas_deploy.runtime.evaluate import LabelledPictures
from bnas_deploy.runtime.sources.tars import HEADER_LIMIT, MEMBER_LIMIT, Tar

TEBI = 2**40


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "png")
    return file.getvalue()


def member(name: str, **more: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for key, value in more.items():
        setattr(info, key, value)
    return info


def sparse(size: int) -> bytes:
    """A header of GNU's old sparse form: 512 bytes of data in a file of any size."""
    header = bytearray(member("train/red/odd.png", size=512).tobuf(tarfile.GNU_FORMAT))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[386:410] = b"%011o\0%011o\0" % (0, 512)
    header[482:483] = b"\0"
    header[483:495] = b"\x80" + size.to_bytes(11, "big")
    header[148:156] = b" " * 8
    header[148:155] = b"%06o\0" % sum(header)
    return bytes(header) + b"\0" * 512


def of_size(size: int) -> bytes:
    return member("train/red/odd.png", size=size).tobuf(tarfile.GNU_FORMAT)


ODD: dict[str, tuple[bytes, str]] = {
    "sparse": (sparse(4 * 2**30), "a sparse file"),
    "huge": (of_size(TEBI), "of 1,099,511,627,776 bytes"),
    "just too large": (of_size(MEMBER_LIMIT + 1), "of 268,435,457 bytes"),
    "link": (member("train/red/odd.png", type=tarfile.SYMTYPE, linkname="/x").tobuf(), "a link"),
    "hard": (member("train/red/odd.png", type=tarfile.LNKTYPE, linkname="a").tobuf(), "a link"),
    "device": (member("train/red/odd.png", type=tarfile.CHRTYPE).tobuf(), "a device"),
    "pipe": (member("train/red/odd.png", type=tarfile.FIFOTYPE).tobuf(), "a named pipe"),
}


@pytest.fixture
def tar(tmp_path: Path) -> Callable[[bytes], Path]:
    """Makes a tar of two good pictures around raw bytes."""

    def make(odd: bytes) -> Path:
        parts = []
        for name in ("train/red/a.png", "train/blue/b.png"):
            content = png()
            parts.append(member(name, size=len(content)).tobuf() + content)
            parts[-1] += b"\0" * (-len(parts[-1]) % 512)
        path = tmp_path / "odd.tar"
        path.write_bytes(parts[0] + odd + parts[1] + b"\0" * 1024)
        return path

    return make


@pytest.mark.parametrize("kind", ODD)
def test_every_reader_refuses_with_the_same_sentence(
    kind: str, tar: Callable[[bytes], Path]
) -> None:
    pytest.importorskip("torch")
    from bnas_deploy.training.data.images import load_data

    header, found = ODD[kind]
    path = tar(header)
    told = []
    for read in (load_data, lambda path: LabelledPictures(path, ("red", "blue"))):
        with pytest.raises(DataError) as caught:
            read(path)
        told.append(str(caught.value))
    assert told[0] == told[1]
    assert told[0].startswith(
        f"{path}: train/red/odd.png is {found}; only plain files of at most 256 MiB are read"
    )


def test_the_others_are_read_beside_it(tar: Callable[[bytes], Path]) -> None:
    members, contents = [], []
    for found in Tar(tar(ODD["link"][0])):
        members.append(found.name)
        if "odd" not in found.name:
            contents.append(found.read())
    assert members == ["train/red/a.png", "train/red/odd.png", "train/blue/b.png"]
    assert contents == [png(), png()]


def test_a_damaged_header_is_no_end(tar: Callable[[bytes], Path]) -> None:
    seen = []
    with pytest.raises(DataError, match="cannot be read as a tar"):  # noqa: PT012
        for found in Tar(tar(b"\xff" * 512)):
            seen.append(found.name)  # noqa: PERF401
    assert seen == ["train/red/a.png"]


def test_a_tar_that_is_cut_off_in_a_header(tar: Callable[[bytes], Path]) -> None:
    path = tar(b"")
    path.write_bytes(path.read_bytes()[: 512 * 2 + 100])
    with pytest.raises(DataError, match="cannot be read as a tar"):
        list(Tar(path))


def test_a_long_name_of_absurd_length_is_not_read(tar: Callable[[bytes], Path]) -> None:
    header = member("././@LongLink", type=tarfile.GNUTYPE_LONGNAME, size=HEADER_LIMIT + 1).tobuf()
    with pytest.raises(DataError, match=r"a header claims 1,048,577 bytes"):
        list(Tar(tar(header)))


@pytest.mark.parametrize("size", [-512, -1024])
def test_sizes_below_zero_make_no_circle(size: int, tar: Callable[[bytes], Path]) -> None:
    header = bytearray(of_size(0))
    header[124:136] = b"\xff" * 4 + struct.pack(">q", size)
    header[148:156] = b" " * 8
    header[148:155] = b"%06o\0" % sum(header)
    with pytest.raises(DataError, match=r"a header claims -\d,?\d* bytes"):
        list(Tar(tar(bytes(header))))
    pax = member("p", type=tarfile.XHDTYPE, size=14).tobuf() + b"14 size=-1536\n".ljust(512, b"\0")
    with pytest.raises(DataError, match=r"circle|cannot be read"):
        list(Tar(tar(pax + of_size(0))))


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="this is a folder; expected a tar"):
        list(Tar(tmp_path))
    with pytest.raises(DataError, match="No such file"):
        list(Tar(tmp_path / "nix.tar"))
