"""Configurations and cells by a published name, or from a file of the JSON that they make."""

from __future__ import annotations

import json
import os
from pathlib import Path

from bnas_deploy import atomic
from bnas_deploy.errors import UsageError
from bnas_deploy.networks.config import AnyConfig, config_from_dict, find_config
from bnas_deploy.nn.genotype import Genotype, get_genotype

__all__ = ["named_config", "named_genotype", "write_config"]


def named_config(name: str) -> AnyConfig:
    """Return the network of a name, or of a file whose name ends in `.json`.

    Raises:
        ConfigError: There is no network of that name, or a value in the file is wrong.
        GenotypeError: The file's genotype is wrong.
        UsageError: The file cannot be read.
    """
    if not name.endswith(".json"):
        return find_config(name)
    try:
        value = json.loads(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        msg = f"{name}: cannot be read as a network's configuration ({error})"
        raise UsageError(msg) from error
    return config_from_dict(value)


def named_genotype(name: str) -> Genotype:
    """Return a published cell, or that of a `.json` file.

    Raises:
        UsageError: The file cannot be read.
        GenotypeError: There is no such cell, or the file's is wrong.
    """
    if not name.endswith(".json"):
        return get_genotype(name)
    try:
        return Genotype.from_json(Path(name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        msg = f"--genotype {name}: cannot be read ({error})"
        raise UsageError(msg) from error


def write_config(path: str | os.PathLike[str], config: AnyConfig) -> None:
    """Write a configuration; a file that is there is replaced."""
    atomic.write_text(path, json.dumps(config.to_dict(), indent=1) + "\n")
