"""Kinds of machine: what this one is, and which older ones it can stand for.

A column of results belongs to an instruction set. This machine's own is measured with every engine.
An older one is forced, which only some engines allow.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bnas_deploy.engine import describe
from bnas_deploy.rivals.files import FILE_ENGINES

__all__ = ["COLUMNS", "Column", "here", "kind_of"]

OPENVINO = tuple(name for name in FILE_ENGINES if name.startswith("openvino"))


@dataclass(frozen=True)
class Column:
    """An instruction set that engines are measured with.

    Attributes:
        name: Of its file.
        label: On the page.
        isa: Of this project's engine; None: its best.
        rivals: Engines that can be measured with it.
        environment: What makes them use it.
        forbidden: Parts of names of kernels that must not run then.
    """

    name: str
    label: str
    isa: str | None = None
    rivals: tuple[str, ...] = tuple(FILE_ENGINES)
    environment: Mapping[str, str] = field(default_factory=dict)
    forbidden: tuple[str, ...] = ()

    @property
    def forced(self) -> bool:
        """Whether the machine could do more."""
        return self.isa is not None


COLUMNS: Mapping[str, Column] = {
    column.name: column
    for column in (
        Column("avx512-amx", "AVX-512 with AMX"),
        Column("avx512-vnni", "AVX-512 with VNNI, without AMX"),
        Column("avx512", "AVX-512 without VNNI"),
        Column("avx2", "AVX2"),
        Column("neon", "Arm NEON"),
        Column("scalar", "no vector instructions"),
        Column(
            "avx2-forced",
            "AVX2, forced",
            isa="avx2",
            rivals=OPENVINO,
            environment={"ONEDNN_MAX_CPU_ISA": "AVX2"},
            forbidden=("avx512", "amx", "vnni"),
        ),
        Column("scalar-forced", "no vector instructions, forced", isa="scalar", rivals=()),
    )
}
"""By name; own kinds first, the strongest before the others."""

_FLAGS = {
    "amx_int8": "avx512-amx",
    "avx512_vnni": "avx512-vnni",
    "avx512bw": "avx512",
    "avx2": "avx2",
}


def kind_of(architecture: str, flags: frozenset[str]) -> str:
    """Return the name of a machine's own column.

    Args:
        architecture: As `platform.machine()` says.
        flags: Of the processor, as Linux lists them.
    """
    if architecture in ("aarch64", "arm64"):
        return "neon"
    return next((kind for flag, kind in _FLAGS.items() if flag in flags), "scalar")


def here() -> list[Column]:
    """Return the columns that can be measured on this machine, its own first."""
    own = COLUMNS[kind_of(platform.machine(), _flags())]
    able = [name for name, state in describe()["isas"].items() if state == "supported"]
    lower = [c for c in COLUMNS.values() if c.forced and c.isa in able]
    return [own, *(c for c in lower if c.isa != own.name)]


def _flags() -> frozenset[str]:
    info = Path("/proc/cpuinfo")
    if not (os.name == "posix" and info.is_file()):
        return frozenset()
    lines = info.read_text(errors="replace").splitlines()
    return frozenset(
        next((x.partition(":")[2] for x in lines if x.startswith("flags")), "").split()
    )
