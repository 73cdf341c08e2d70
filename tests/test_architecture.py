"""Tests that the table of imports in docs/architecture.md is true, and free of cycles."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs/architecture.md"
PACKAGES = {"bnas_deploy": ROOT / "bnas_deploy", "bnas_deploy.converters": ROOT / "converters"}
SPLIT = ("converters", "engine", "training")
"""Rooms whose folders are rooms of their own in the table."""
GROUND = {
    "atomic",
    "bits",
    "checks",
    "cpus",
    "cut_off",
    "errors",
    "extras",
    "file_kind",
    "interrupt",
    "kind_config",
    "settings",
    "shown",
} | {"numba_cache"}
"""Single files that every room may import."""
ENTRIES = {"bnas_deploy", "__main__", "cli", "start"}
"""Where users enter; they may import every room, and no room imports them."""
LIBRARIES = (
    "torch", "onnx", "onnxruntime", "tflite", "flatbuffers", "numba", "PIL", "safetensors",
    "matplotlib", "openvino", "fastapi", "starlette", "uvicorn", "anyio", "prometheus_client",
    "ray",
)  # fmt: skip

Rules = dict[str, tuple[set[str], set[str]]]


def documented() -> Rules:
    """Rooms and libraries that each room may import, from the table's three columns."""
    rows = re.findall(r"^\| `([\w.]+)` +\|([^|]*)\|([^|]*)\|$", DOCUMENT.read_text(), re.M)
    return {room: tuple(set(re.findall(r"`([\w.]+)`", x)) for x in more) for room, *more in rows}


def modules() -> Iterator[tuple[str, Path]]:
    for package, folder in PACKAGES.items():
        for path in folder.rglob("*.py"):
            inside = path.relative_to(folder).with_suffix("").parts
            if package == "bnas_deploy" and inside[0] == "converters":
                continue
            yield ".".join([package, *inside]).removesuffix(".__init__"), path


MODULES = dict(modules())


def room_of(module: str) -> str:
    """The room of a module: its folder below bnas_deploy, in some rooms the folder below that."""
    _, *parts = module.split(".")
    if not parts:
        return "bnas_deploy"
    if parts[0] in SPLIT and len(parts) > 1:
        below = ".".join(["bnas_deploy", *parts[:2]])
        if MODULES.get(below, Path()).name == "__init__.py":
            return ".".join(parts[:2])
    return parts[0]


def imports(path: Path) -> Iterator[str]:
    """What a file imports, also inside functions; `from package import module` is that module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in MODULES else node.module


def found() -> Rules:
    rules: defaultdict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for module, path in MODULES.items():
        rooms, libraries = rules[room_of(module)]
        for name in imports(path):
            if name.split(".")[0] == "bnas_deploy":
                rooms |= {room_of(name)} - {room_of(module)} - GROUND - {"bnas_deploy"}
            else:
                libraries |= {name.split(".")[0]} & set(LIBRARIES)
    return {room: rule for room, rule in rules.items() if room not in GROUND | ENTRIES}


@pytest.mark.parametrize("column", [0, 1], ids=["rooms", "libraries"])
def test_the_table_says_who_imports_whom(column: int) -> None:
    told = {room: sorted(rule[column]) for room, rule in documented().items()}
    assert {room: sorted(rule[column]) for room, rule in found().items()} == told


def test_no_two_rooms_import_each_other() -> None:
    graph = {room: rule[0] for room, rule in found().items()}
    order = list(TopologicalSorter(graph).static_order())  # raises if there is a cycle
    assert order.index("format") < order.index("engine") < order.index("runtime")


def test_no_room_imports_the_commands() -> None:
    assert not any("cli" in rooms for rooms, _ in found().values())


def test_commands_share_common_and_little_else() -> None:
    found = set()
    for module, path in MODULES.items():
        own = module.split(".")[2:3] if module.startswith("bnas_deploy.cli.") else []
        for name in imports(path) if own else ():
            other = name.split(".")[2:3] if name.startswith("bnas_deploy.cli.") else []
            if other and other not in (own, ["common"]):
                found.add((own[0], other[0]))
    assert found == {
        ("export", "convert"),
        ("import_model", "convert"),
        ("report", "train"),
        ("search", "train"),
    }


def test_the_ground_imports_nothing_above_it() -> None:
    for name in GROUND:
        mine = {room_of(i) for i in imports(ROOT / f"bnas_deploy/{name}.py") if "bnas_deploy" in i}
        assert mine <= GROUND
