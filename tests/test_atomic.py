"""Tests of writing files whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bnas_deploy.atomic import replacing, write_bytes, write_text


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"old")
    write_text(str(tmp_path / "a"), "ü\r\n")
    assert (tmp_path / "a").read_bytes() == b"\xc3\xbc\r\n"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("old", [None, b"old"])
def test_a_failure_leaves_what_was_there(
    tmp_path: Path, old: bytes | None, error: type[BaseException]
) -> None:
    path = tmp_path / "a"
    if old is not None:
        path.write_bytes(old)
    with pytest.raises(error):
        _write_half(path, error)
    assert names(tmp_path) == ([] if old is None else ["a"])
    assert old is None or path.read_bytes() == old


def _write_half(path: Path, error: type[BaseException]) -> None:
    with replacing(path) as file:
        file.write(b"half")
        file.flush()
        raise error


FULL = """
import resource, signal, sys
from bnas_deploy.atomic import write_bytes
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_bytes(sys.argv[1], bytes(5000))
except OSError as error:
    print(error.filename)
"""


def test_no_room_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{path}\n"
    assert names(tmp_path) == ["a"]
    assert path.read_bytes() == b"old"


KILLED = """
import os, signal, sys
from bnas_deploy.atomic import replacing
with replacing(sys.argv[1]) as file:
    file.write(bytes(5000))
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode < 0
    assert path.read_bytes() == b"old"


def test_the_mask_of_the_process_holds(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_bytes(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    for content in (b"first", b"second"):
        write_bytes(tmp_path / "link", content)
        assert (tmp_path / "target").read_bytes() == content
    assert (tmp_path / "link").is_symlink()


def test_a_name_as_long_as_there_can_be(tmp_path: Path) -> None:
    write_bytes(tmp_path / ("x" * 255), b"content")
    assert names(tmp_path) == ["x" * 255]


@pytest.mark.parametrize("name", ["folder", "missing/a", "file/a", "x" * 256])
def test_what_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=name) as info:
        write_bytes(tmp_path / name, b"content")
    assert info.value.filename == str(tmp_path / name)
    assert names(tmp_path) == ["file", "folder"]


def test_a_device_is_not_replaced() -> None:
    with pytest.raises(OSError, match="a directory or a device"):
        write_bytes("/dev/null", b"content")
