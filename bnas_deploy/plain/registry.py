"""The float networks by name."""

from __future__ import annotations

from bnas_deploy.plain.config import FAMILIES, PlainConfig

__all__ = ["NETWORKS"]

RESNETS = {f"resnet{6 * blocks + 2}": blocks for blocks in (1, 2, 3, 5, 7, 9)}
"""Blocks a stage; He et al. (2016, Section 4.2) have those from 20 layers, MLPerf Tiny has 8."""

MOBILENETS = {"mobilenetv2-x1.0": 1, "mobilenetv2-x0.5": 2, "mobilenetv2-x0.25": 4}
"""By what the published width is divided."""


def _networks() -> list[PlainConfig]:
    found = [PlainConfig(name, "resnet", FAMILIES["resnet"], n) for name, n in RESNETS.items()]
    width = FAMILIES["mobilenetv2"]
    found += [PlainConfig(name, "mobilenetv2", width // n) for name, n in MOBILENETS.items()]
    return [*found, PlainConfig("ds-cnn", "ds-cnn", FAMILIES["ds-cnn"], 4)]


NETWORKS: dict[str, PlainConfig] = {config.name: config for config in _networks()}
