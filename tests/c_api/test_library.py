"""Tests of what a C programmer gets: the header, the symbols, the example, the installed package."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from c_library import ROOT, folder

import bnas_deploy

MINI = ROOT / "models/bnas-mini.bnn"
HEADER = ROOT / "kernels/c_api/bnas.h"
EXAMPLE = ROOT / "examples/c/classify.c"


def classify(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [folder() / "bnas_classify", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "image.rgb"
    path.write_bytes(np.random.default_rng(0).integers(0, 256, 32 * 32 * 3, np.uint8).tobytes())
    return path


def test_the_example_says_what_python_says(picture: Path) -> None:
    done = classify(MINI, picture)
    assert (done.returncode, done.stderr) == (0, "")
    pixels = np.frombuffer(picture.read_bytes(), np.uint8).reshape(32, 32, 3)
    model = bnas_deploy.load(MINI)
    (prediction,) = model.rank(model.run(model.normalise([pixels])), top_k=5)
    want = [f"{100 * guess.probability:5.1f}%  {guess.label}" for guess in prediction.top]
    assert done.stdout.splitlines() == want


def test_the_example_is_short() -> None:
    assert len(EXAMPLE.read_text().splitlines()) < 100


def test_errors_of_the_example(picture: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.rgb"
    short.write_bytes(b"abc")
    for arguments, message in (
        ((), "usage: classify model.bnn image.rgb"),
        ((MINI, short), "short.rgb: expected a file of 32 x 32 x 3 bytes"),
        ((MINI, tmp_path / "none"), "none: expected a file of 32 x 32 x 3 bytes"),
        ((picture, picture), "not a safetensors file, or truncated"),
        ((tmp_path / "none", picture), "the file cannot be read"),
    ):
        done = classify(*arguments)
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")
        assert message in done.stderr


@pytest.mark.parametrize("standard", ["-std=c99", "-std=c11", "-std=c++11"])
def test_the_header_is_plain_c(standard: str, tmp_path: Path) -> None:
    compiler = shutil.which("c++" if "++" in standard else "cc")
    assert compiler is not None
    source = tmp_path / ("a.cpp" if "++" in standard else "a.c")
    source.write_text('#include "bnas.h"\nint main(void) { return bnas_api_version(); }\n')
    flags = [standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
    subprocess.run([compiler, *flags, f"-I{HEADER.parent}", source], check=True)


def test_only_the_interface_is_exported() -> None:
    declared = set(re.findall(r"\b(bnas_\w+)\(", re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.S)))
    nm = shutil.which("nm")
    assert nm is not None
    command = [nm, "-D", "--defined-only", folder() / "libbnas.so"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert {line.split()[-1] for line in lines} == declared
    assert len(declared) == 10


def test_an_installed_library_is_found(tmp_path: Path, picture: Path) -> None:
    """By pkg-config's file (read here: the program may be missing) and from a static library."""
    build = folder()
    if not (build / "kernels/c_api/bnas.pc").exists():
        pytest.skip("this build folder is that of a Python package, which does not install it")
    subprocess.run(["cmake", "--install", build / "kernels/c_api", "--prefix", tmp_path / "i"], check=True, capture_output=True)
    installed = tmp_path / "i"
    assert (installed / "include/bnas.h").read_text() == HEADER.read_text()
    (pc,) = installed.rglob("bnas.pc")
    assert "Libs: -L${libdir} -lbnas" in pc.read_text()
    (static,) = installed.rglob("libbnas.a")
    program = tmp_path / "classify"
    cc = shutil.which("cc")
    assert cc is not None
    libraries = [static, "-lstdc++", "-lm", "-lpthread"]
    subprocess.run([cc, EXAMPLE, f"-I{installed}/include", *libraries, "-o", program], check=True)
    done = subprocess.run([program, MINI, picture], capture_output=True, text=True, check=True)
    assert done.stdout == classify(MINI, picture).stdout
