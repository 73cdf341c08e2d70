"""A disk without room, in every command that writes: one line, status 2, and no part of a file.

The system's limit of a file's size stands for the disk.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no limits of file sizes")

MODELS = Path(__file__).parents[2] / "models"
START = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.argv[:2] = ["bnas"]
from bnas_deploy.start import bnas
sys.exit(bnas())
"""
MANY = [*["a.png"] * 40]
COMMANDS = {
    "export to bnn": (2000, ["export", "mini.pt", "-o", "out.bnn"]),
    "export to ONNX": (2000, ["export", "mini.pt", "--format", "onnx", "-o", "out.onnx"]),
    "answers as lines": (1000, ["run", "--packed", "mini.bnn", *MANY, "--output", "out.jsonl"]),
    "answers as CSV": (1000, ["run", "--packed", "mini.bnn", *MANY, "--output", "out.csv"]),
    "values of layers": (2000, ["run", "--packed", "mini.bnn", "a.png", "--dump-layers", "out"]),
    "a report": (2000, ["run", "--packed", "mini.bnn", "--evaluate", "data", "--report", "out"]),
    "training": (3000, ["train", "--data", "data", "--out", "out", "--epochs", "1", "--layers", "3",
                        "--channels", "2", "--image-size", "8", "--quiet", "--amp", "off"]),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("mini.bnn", "mini.pt"):
        (tmp_path / name).symlink_to(MODELS / f"bnas-{name}")
    for name in ("a.png", "data/cat/1.png", "data/dog/1.png", "data/cat/2.png", "data/dog/2.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(("room", "words"), COMMANDS.values(), ids=COMMANDS)
def test_one_line_and_no_part_of_a_file(room: int, words: list[str], folder: Path) -> None:
    before = {path.name for path in folder.iterdir()}
    done = subprocess.run(
        [sys.executable, "-c", START, str(room), *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    told = done.stderr.splitlines()
    assert done.returncode == 2, done.stderr
    assert [line for line in told if line.startswith("error: ")] == told[-1:]
    assert "File too large" in told[-1]
    assert "out" in told[-1]
    assert "Traceback" not in done.stderr
    left = {path.name for path in folder.iterdir()} - before
    assert left <= {f"{words[-1]}.partial", "out"}
    assert not list(folder.rglob(".*.tmp"))
    # Of several files, those that had room may be there; the page that shows them comes last.
    assert words[0] == "train" or "--report" in words or not (folder / "out").exists()
    assert not (folder / "out/index.html").exists()
