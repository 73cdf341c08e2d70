"""The networks that are measured: those with published accuracies, trained ones, counterparts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bnas_deploy.experiments.definition import Setup
from bnas_deploy.experiments.frontier.published import PUBLISHED
from bnas_deploy.networks.config import AnyConfig
from bnas_deploy.nn.genotype import Genotype

__all__ = ["COUNTERPARTS", "Entry", "entries", "same_network"]

COUNTERPARTS = ("bnas-mini-pool1x1", "bnas-a-pool1x1")
"""Binary networks whose float counterparts are measured, too."""


@dataclass(frozen=True)
class Entry:
    """A network to measure.

    Attributes:
        key: Of its folder and its results.
        label: On the page.
        config: What it is made of.
        binary: Whether it is binarized.
    """

    key: str
    label: str
    config: AnyConfig
    binary: bool

    def facts(self) -> dict[str, Any]:
        """Return plain values."""
        return {"label": self.label, "binary": self.binary, "network": self.config.to_dict()}


def entries(budget: str, setups: Mapping[str, Setup]) -> list[Entry]:
    """Return what is measured under a budget, each architecture once.

    Args:
        budget: One of `BUDGETS`; `smoke` has the trained ones only.
        setups: Of the trained networks, by the names of their variants.
    """
    found = [] if budget == "smoke" else _published()
    for name, setup in setups.items():
        entry = Entry(name, name, _anonymous(setup.network), setup.binary)
        if not any(_is_same(entry, other) for other in found):
            found.append(entry)
    return found


def _published() -> list[Entry]:
    found = [Entry(p.key, p.label, p.config, p.binary) for p in PUBLISHED]
    twins = [
        Entry(f"{e.key}-float", f"{e.label} in floats", e.config, binary=False)
        for e in found
        if e.key in COUNTERPARTS
    ]
    return [*found, *twins]


def _is_same(one: Entry, other: Entry) -> bool:
    same = same_network(one.config.to_dict(), other.config.to_dict())
    return one.binary == other.binary and same


def same_network(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two configurations are of one architecture; names and classes do not matter."""
    return _bare(one) == _bare(other)


def _bare(config: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in config.items() if key not in ("name", "classes")}
    genotype = found.get("genotype")
    if isinstance(genotype, str):  # as results have it
        found["genotype"] = Genotype.from_text(genotype).to_dict()
    return found


def _anonymous(config: AnyConfig) -> AnyConfig:
    return replace(config, classes=10)
