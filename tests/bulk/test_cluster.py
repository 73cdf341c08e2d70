"""Tests of the bulk job on a cluster of Ray with two nodes: the rows of one process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.small_models import mean_colour_model, written
from support.stored_pictures import coloured, parquet_of, tar_of

from bnas_deploy.bulk.units import units_of
from bnas_deploy.errors import UsageError
from bnas_deploy.runtime.sources import find_pictures

TESTS = Path(__file__).parents[1]
COUNT = 600


def test_units_are_files_tars_and_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in coloured(5):
        Path(name).write_bytes(content)
    tar_of(tmp_path / "a.tar", coloured(2))
    (tmp_path / "list.txt").write_text("003.png\na.tar\nnix.png\n")
    found, _ = find_pictures(["00[0-2].png", "a.tar"], listing="list.txt")
    units = units_of(found, files=2)
    assert [unit.names for unit in units] == [
        ("000.png", "001.png"),
        ("002.png",),
        ("a.tar",),
        ("003.png",),
        ("a.tar",),
        ("nix.png",),
    ]
    assert [unit.number for unit in units] == list(range(6))


def test_standard_input_stays_here(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"picture")))
    with pytest.raises(UsageError, match="other machines cannot read it"):
        units_of(find_pictures(["-"])[0])


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    pytest.importorskip("ray.data", reason="ray is not installed (the extra ray)")
    pipe = subprocess.PIPE
    words = [sys.executable, "-W", "ignore", str(TESTS / "support" / "two_nodes.py")]
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        yield next(line.split()[1] for line in lines if line.startswith("address"))
        process.communicate()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a model, 600 pictures of every kind of source, and some that cannot be read."""
    folder = tmp_path_factory.mktemp("data")
    written(folder, mean_colour_model())
    pictures = coloured(COUNT)
    (folder / "files").mkdir()
    for name, content in pictures[:50]:
        (folder / "files" / name).write_bytes(content)
    (folder / "files" / "broken.png").write_bytes(b"no picture")
    for shard in range(4):
        tar_of(folder / f"s-{shard}.tar", pictures[50 + 100 * shard : 150 + 100 * shard])
    contents: list[object] = [content for _, content in pictures[450:]]
    parquet_of(folder / "t.parquet", [*contents, None], group=40)
    return folder


SOURCES = ["files", "s-{0..3}.tar", "t.parquet", "nix.png"]


def start(data: Path, *words: str) -> subprocess.Popen[str]:
    code = "import sys; from bnas_deploy.cli.run.command import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-W", "ignore", "-c", code, "--packed", "model.bnn", *SOURCES]
    pipe = subprocess.PIPE
    return subprocess.Popen([*command, *words], cwd=data, stdout=pipe, stderr=pipe, text=True)


def rows(data: Path, name: str) -> list[dict[str, object]]:
    from pyarrow import parquet

    parts = sorted((data / name).glob("part-*.parquet"))
    return [row for path in parts for row in parquet.read_table(path).to_pylist()]


@pytest.fixture(scope="module")
def expected(data: Path) -> list[dict[str, object]]:
    """The rows of a single process."""
    process = start(data, "--output", "one.jsonl")
    process.communicate()
    return [json.loads(line) for line in (data / "one.jsonl").read_text().splitlines()]


def kill_a_worker(folder: Path) -> int:
    """Kill a process that has begun a unit; returns its number, once it is gone."""
    for _ in range(6000):
        for path in Path("/proc").glob("[0-9]*/fd/*"):
            try:
                held = path.readlink()
            except OSError:
                continue
            if held.parent == folder and held.suffix == ".partial":
                os.kill(int(path.parts[2]), signal.SIGKILL)
                return int(path.parts[2])
        time.sleep(0.01)
    pytest.fail("no worker has begun")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks for workers in /proc")
def test_a_killed_worker_loses_nothing(
    address: str, data: Path, expected: list[dict[str, object]]
) -> None:
    process = start(data, "--output", "many", f"--ray={address}", "--json")
    killed = kill_a_worker(data / "many")
    out, err = process.communicate()
    assert process.returncode == 1, err  # some pictures cannot be read
    assert not Path(f"/proc/{killed}").exists()
    found = rows(data, "many")
    assert found == expected
    assert len({row["image"] for row in found}) == len(found) == COUNT + 2
    told = json.loads(out)
    assert (told["pictures"], told["unreadable"]) == (COUNT + 2, 2)
    assert json.loads((data / "many" / "_SUCCESS").read_text()) == {"pictures": 602, "errors": 2}
    again = start(data, "--output", "many", f"--ray={address}")
    assert "is finished already; add --force" in again.communicate()[1]


def test_gone_on_with_after_the_driver_is_gone(
    address: str, data: Path, expected: list[dict[str, object]]
) -> None:
    process = start(data, "--output", "later", f"--ray={address}")
    while not list((data / "later").glob("part-*.parquet")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.kill()
    process.communicate()
    other = start(data, "--output", "later", f"--ray={address}", "--top-k", "2")
    assert "begun with another top_k" in other.communicate()[1]
    process = start(data, "--output", "later", f"--ray={address}")
    _, err = process.communicate()
    assert process.returncode == 1, err
    assert rows(data, "later") == expected
