"""Tests that what a release says of itself agrees: versions, licence, wheels, workflows."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def cited(field: str) -> str:
    found = re.search(rf"^{field}: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def test_the_citation_is_of_this_version() -> None:
    assert cited("title") == PROJECT["name"]
    assert cited("version") == PROJECT["version"]
    assert cited("license") == PROJECT["license"]


def test_all_parts_have_one_version() -> None:
    cmake = re.search(r"VERSION (\d+\.\d+\.\d+)", (ROOT / "CMakeLists.txt").read_text())
    web = json.loads((ROOT / "web/package.json").read_text())
    assert cmake is not None
    assert {cmake[1], web["version"]} == {PROJECT["version"]}


def test_wheels_begin_with_the_oldest_python() -> None:
    oldest = PROJECT["requires-python"].removeprefix(">=").replace(".", "")
    assert PYPROJECT["tool"]["cibuildwheel"]["build"][0] == f"cp{oldest}-*"


def test_wheels_are_tried_by_a_script_that_exists() -> None:
    command = PYPROJECT["tool"]["cibuildwheel"]["test-command"]
    files = re.findall(r"\{project\}/(\S+)", command)
    assert files
    assert all((ROOT / file).is_file() for file in files)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_call_targets_of_the_makefile(workflow: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    called = re.findall(r"\bmake ([a-z-]+)", workflow.read_text())
    assert called
    assert set(called) <= set(targets)


def test_there_are_workflows_for_tests_and_wheels() -> None:
    assert [path.stem for path in WORKFLOWS] == ["test", "wheels"]
