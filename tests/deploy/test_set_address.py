"""Tests that a release's metadata and READMEs get the address of the repository, or an error."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "deploy/release/set_address.py"
ADDRESS = "https://example.org/somebody/fork"


def set_address(checkout: Path, address: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPT, address, "--ref", "v1.2.3", "--root", checkout]
    return subprocess.run(command, text=True, capture_output=True, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the script reads, and empty files where links lead."""
    for name in ("README.md", "pyproject.toml", "web/README.md", "web/package.json"):
        copy = tmp_path / name
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, copy)
    for readme in (tmp_path / "README.md", tmp_path / "web/README.md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", readme.read_text()):
            file = readme.parent / target
            if not file.exists():
                assert (ROOT / file.resolve().relative_to(tmp_path.resolve())).exists(), target
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch()
    return tmp_path


def test_links_and_metadata_get_the_address(checkout: Path) -> None:
    assert set_address(checkout, ADDRESS + "/").returncode == 0
    for readme in ("README.md", "web/README.md"):
        targets = re.findall(r"\]\(([^)\s]+)\)", (checkout / readme).read_text())
        assert all(target.startswith(("https://", "#")) for target in targets)
    assert f"]({ADDRESS}/blob/v1.2.3/docs/format.md)" in (checkout / "README.md").read_text()
    assert f"{ADDRESS}/blob/v1.2.3/docs/kernels.md#webassembly" in targets
    urls = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]["urls"]
    assert urls["Repository"] == ADDRESS
    assert urls["Changelog"] == f"{ADDRESS}/blob/v1.2.3/CHANGELOG.md"
    package = json.loads((checkout / "web/package.json").read_text())
    assert package["repository"]["url"] == f"git+{ADDRESS}.git"


def test_a_checkout_that_has_an_address_is_refused(checkout: Path) -> None:
    set_address(checkout, ADDRESS)
    before = (checkout / "pyproject.toml").read_text()
    again = set_address(checkout, ADDRESS)
    assert again.returncode == 1
    assert "expected no [project.urls] yet" in again.stderr
    assert (checkout / "pyproject.toml").read_text() == before


@pytest.mark.parametrize("address", ["somebody/fork", "http://example.org/a/b", ADDRESS + '"x'])
def test_what_is_no_address_is_refused(checkout: Path, address: str) -> None:
    answer = set_address(checkout, address)
    assert answer.returncode == 1
    assert "expected an address like https://host/owner/name" in answer.stderr


def test_a_link_to_nothing_is_refused(checkout: Path) -> None:
    with (checkout / "README.md").open("a") as readme:
        readme.write("[gone](docs/gone.md)\n")
    answer = set_address(checkout, ADDRESS)
    assert answer.returncode == 1
    assert "got docs/gone.md" in answer.stderr
    assert "Traceback" not in answer.stderr
