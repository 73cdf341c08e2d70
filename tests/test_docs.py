"""The docs: what they quote is in the sources, and the site's menu names every page."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from bnas_deploy.nn.config import CONFIGS, SMALL_CONFIGS

ROOT = Path(__file__).parents[1]
TROUBLES = re.findall(r"^## `(.*)`$", (ROOT / "docs/troubleshooting.md").read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def sources() -> str:
    return "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("bnas_deploy", "converters")
        for path in (ROOT / folder).rglob("*.py")
    )


@pytest.mark.parametrize("message", TROUBLES)
def test_a_message_that_is_explained_is_one_that_is_printed(message: str, sources: str) -> None:
    assert message in sources


def test_every_page_is_in_the_menu() -> None:
    menu = set(re.findall(r"(\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE))
    assert {page.name for page in (ROOT / "docs").glob("*.md")} == menu


def test_the_table_of_models_is_the_configurations() -> None:
    text = (ROOT / "docs/models.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) +\| (\d+) +\| (\d+) ", text, re.MULTILINE)
    configs = {**CONFIGS, **SMALL_CONFIGS}
    assert rows == [(name, str(c.layers), str(c.channels)) for name, c in configs.items()]


def test_the_table_of_models_has_the_sizes_of_the_files() -> None:
    text = (ROOT / "docs/models.md").read_text(encoding="utf-8")
    for name in ("bnas-mini.bnn", "bnas-mini.pt"):
        assert f"{(ROOT / 'models' / name).stat().st_size:,} B" in text


def referred() -> set[str]:
    """The public names that the reference shows; a module without a list shows all of its own."""
    text = (ROOT / "docs/reference.md").read_text(encoding="utf-8")
    names: set[str] = set()
    for path, members in re.findall(
        r"^::: (\S+)(?:\n    options:\n      members: \[(.*)\])?$", text, re.MULTILINE
    ):
        full = re.sub(r"^converters\b", "bnas_deploy.converters", path)
        owner, _, last = full.rpartition(".")
        if last in getattr(import_module(owner), "__all__", ()):
            names.add(last)
            continue
        module = import_module(full)
        shown = members.split(", ") if members else module.__all__
        assert set(shown) <= set(module.__all__), path
        names |= set(shown)
    return names


@pytest.mark.parametrize(
    "package",
    ["bnas_deploy", "bnas_deploy.converters", "bnas_deploy.engine", "bnas_deploy.format"],
)
def test_the_reference_has_the_public_names(package: str) -> None:
    public = set(import_module(package).__all__) - {"__version__", "errors", "convert"}
    assert public <= referred()
