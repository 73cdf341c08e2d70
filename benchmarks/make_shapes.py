"""Writes shapes.json, the distinct binary convolutions of BNAS-Mini to C; measures nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bnas_deploy.converters import convert_network
from bnas_deploy.format.steps import BinaryConv2d
from bnas_deploy.nn.config import get_config
from bnas_deploy.nn.network import build_network

NETWORKS = ("Mini", "A", "B", "C")
FILE = Path(__file__).with_name("shapes.json")
KEYS = ("channels", "outputs", "height", "width", "kernel", "stride", "padding", "dilation")


def binary_convolutions(name: str) -> list[tuple[int, ...]]:
    """The numbers of KEYS for each binary convolution of the packed network."""
    model, _ = convert_network(build_network(get_config(name)).eval())
    found = []
    for step in model.program.steps:
        if isinstance(step, BinaryConv2d):
            channels, height, width = model.program.values[step.input].shape
            outputs = len(model.tensors[step.weight])
            geometry = (step.kernel[0], step.stride[0], step.padding[0], step.dilation[0])
            found.append((channels, outputs, height, width, *geometry))
    return found


def shapes() -> list[dict[str, Any]]:
    """Every distinct shape with the networks that have it."""
    owners: dict[tuple[int, ...], list[str]] = {}
    for name in NETWORKS:
        for shape in dict.fromkeys(binary_convolutions(name)):
            owners.setdefault(shape, []).append(name)
    return [dict(zip(KEYS, s, strict=True)) | {"networks": n} for s, n in sorted(owners.items())]


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(shape) for shape in shapes())
    FILE.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
