"""Tests of what a C programmer gets: header, symbols, example, what is installed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.c_library import ROOT, folder, program, run

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
    source = tmp_path / ("a.cpp" if "++" in standard else "a.c")
    source.write_text('#include "bnas.h"\nint main(void) { return bnas_api_version(); }\n')
    flags = [standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
    run(program("c++" if "++" in standard else "cc"), *flags, f"-I{HEADER.parent}", source)


def test_only_the_interface_is_exported() -> None:
    text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.DOTALL)
    declared = set(re.findall(r"\b(bnas_\w+)\(", text))
    lines = run(program("nm"), "-D", "--defined-only", folder() / "libbnas.so").splitlines()
    assert {line.split()[-1] for line in lines} == declared
    assert len(declared) == 11


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    prefix, build = tmp_path_factory.mktemp("installed"), folder() / "kernels/c_api"
    run(program("cmake"), "--install", build, "--component", "c_api", "--prefix", prefix)
    return prefix


@pytest.mark.parametrize("library", ["libbnas.so", "libbnas.a"])
def test_an_installed_library(library: str, installed: Path, picture: Path, tmp_path: Path) -> None:
    (path,) = installed.rglob(library)
    libraries = [path, f"-Wl,-rpath,{path.parent}"]
    if path.suffix == ".a":
        libraries = [path, "-lstdc++", "-lm", "-lpthread"]
    built = tmp_path / "classify"
    run(program("cc"), EXAMPLE, f"-I{installed}/include", *libraries, "-o", built)
    assert run(built, MINI, picture) == classify(MINI, picture).stdout


PROJECT = """\
cmake_minimum_required(VERSION 3.24)
project(user LANGUAGES C)
find_package(bnas {version} REQUIRED)
add_executable(classify {source})
target_link_libraries(classify PRIVATE {target})
"""


def configure(folder: Path, prefix: Path, version: str, target: str) -> Path:
    folder.joinpath("CMakeLists.txt").write_text(
        PROJECT.format(version=version, source=EXAMPLE, target=target)
    )
    build = folder / "build"
    run(program("cmake"), "-S", folder, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}")
    return build


@pytest.mark.parametrize("target", ["bnas::bnas", "bnas::bnas_static"])
def test_a_project_in_c_finds_the_package(
    target: str, installed: Path, picture: Path, tmp_path: Path
) -> None:
    build = configure(tmp_path, installed, "0.1", target)
    run(program("cmake"), "--build", build)
    assert run(build / "classify", MINI, picture) == classify(MINI, picture).stdout


def test_another_version_of_the_package_is_refused(installed: Path, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"0\.2"):
        configure(tmp_path, installed, "0.2", "bnas::bnas")


def test_the_version_is_the_packages(installed: Path) -> None:
    (pc,) = installed.rglob("bnas.pc")
    found = re.search(r"^Version: (.*)$", pc.read_text(), re.MULTILINE)
    assert found is not None
    assert f'\nversion = "{found[1]}"\n' in (ROOT / "pyproject.toml").read_text()
    assert list(installed.rglob("bnasConfig.cmake"))
