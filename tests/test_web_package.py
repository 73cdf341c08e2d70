"""Tests that the npm package says of itself what the project says."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = json.loads((ROOT / "web/package.json").read_text())
PYPROJECT = (ROOT / "pyproject.toml").read_text()


def stated(key: str) -> str:
    found = re.search(rf'^{key} = "(.+)"$', PYPROJECT, re.M)
    assert found is not None
    return found[1]


def test_version_and_licence() -> None:
    assert (PACKAGE["version"], PACKAGE["license"]) == (stated("version"), stated("license"))


def test_it_needs_nothing_to_run() -> None:
    assert "dependencies" not in PACKAGE


def test_the_api_version_is_that_of_the_c_library() -> None:
    header = (ROOT / "kernels/c_api/bnas.h").read_text()
    engine = (ROOT / "web/src/engine.js").read_text()
    (version,) = re.findall(r"#define BNAS_API_VERSION (\d+)", header)
    assert f"const API_VERSION = {version};" in engine
    assert re.findall(r"char message\[(\d+)\]", header) == re.findall(
        r"const MESSAGE_BYTES = (\d+);", engine
    )
