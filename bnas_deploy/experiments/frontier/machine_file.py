"""What was measured on one kind of machine, as JSON: a file for each kind, side by side."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bnas_deploy import atomic
from bnas_deploy.checks import check_choice
from bnas_deploy.errors import ConfigError, DataError
from bnas_deploy.experiments.frontier.columns import COLUMNS

__all__ = ["FOLDER", "MachineResults", "read_all", "read_machine", "write_machine"]

FOLDER = "machines"
FORMAT, VERSION = "bnas-deploy/frontier", 1


@dataclass(frozen=True)
class MachineResults:
    """One column.

    Attributes:
        column: Name of the kind of machine, or of the forced instruction set.
        date: YYYY-MM-DD.
        machine: Facts.
        versions: Of the software.
        rounds: Turns.
        networks: As `race.measure` gives them.
    """

    column: str
    date: str
    machine: Mapping[str, str]
    versions: Mapping[str, str]
    rounds: int
    networks: Mapping[str, Mapping[str, Any]]

    @property
    def label(self) -> str:
        """What the column is called on the page."""
        return COLUMNS[self.column].label


def write_machine(path: str | os.PathLike[str], found: MachineResults) -> None:
    """Write JSON, a line for each network; an older file of this kind is replaced in one step."""
    value = {"format": FORMAT, "version": VERSION, **asdict(found)}
    networks = (f"{json.dumps(k)}: {json.dumps(v)}" for k, v in value["networks"].items())
    lines = {name: json.dumps(entry) for name, entry in value.items()}
    lines["networks"] = "{\n  " + ",\n  ".join(networks) + "\n }"
    text = ",\n".join(f" {json.dumps(name)}: {entry}" for name, entry in lines.items())
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    atomic.write_text(path, f"{{\n{text}\n}}\n")


def read_machine(path: str | os.PathLike[str]) -> MachineResults:
    """Read what `write_machine` wrote.

    Raises:
        DataError: The file is missing, or is something else.
    """
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
        if (value.pop("format"), value.pop("version")) != (FORMAT, VERSION):
            msg = f"{path}: expected {FORMAT} of version {VERSION}"
            raise DataError(msg)
        found = MachineResults(**value)
        check_choice("column", found.column, COLUMNS)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ConfigError) as error:
        msg = f"{path}: cannot be read as a machine's results ({type(error).__name__}: {error})"
        raise DataError(msg) from error
    return found


def read_all(folder: Path) -> list[MachineResults]:
    """Read the files of all kinds of machine in a folder, in the order of `COLUMNS`."""
    paths = [folder / f"{name}.json" for name in COLUMNS]
    return [read_machine(path) for path in paths if path.exists()]
