"""What messages tell users to install is what pyproject.toml installs, never our own name."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from bnas_deploy.extras import EXTRAS, how_to_install

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
STATED = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_table_is_the_extra(extra: str) -> None:
    everywhere = [name for name in STATED[extra] if ";" not in name]
    assert list(EXTRAS[extra]) == everywhere


def test_every_extra_for_users_is_there() -> None:
    assert set(STATED) - set(EXTRAS) == {"bench", "test", "dev", "docs"}


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_hint_names_packages_and_is_quoted(extra: str) -> None:
    hint = how_to_install(extra)
    assert "bnas" not in hint
    assert ">" not in re.sub('"[^"]*"', "", hint), "a shell would write to a file"


def test_nothing_tells_users_to_install_our_name_from_an_index() -> None:
    files = [
        path
        for folder in ("bnas_deploy", "converters", "docs", "examples")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".md"}
    ]
    named = re.compile(r"pip install ['\"]?bnas")
    assert [path for path in [*files, ROOT / "README.md"] if named.search(path.read_text())] == []
