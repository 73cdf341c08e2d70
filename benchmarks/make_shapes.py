"""Writes shapes.json, the distinct binary convolutions that are measured.

They are those of BNAS-Mini and A to H as packed, and the 3x3 convolutions of a binary ResNet-18.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bnas_deploy.converters import convert_network
from bnas_deploy.format.steps import BinaryConv2d
from bnas_deploy.nn.config import get_config
from bnas_deploy.nn.network import build_network

NETWORKS = ("Mini", "A", "B", "C", "D", "E", "F", "G", "H")
FILE = Path(__file__).with_name("shapes.json")
KEYS = ("channels", "outputs", "height", "width", "kernel", "stride", "padding", "dilation")
RESNET_18 = tuple(  # all but the first of a stage keep width and channels
    (channels, outputs, size, size, 3, outputs // channels, 1, 1)
    for channels, outputs, size in (
        *((64, 64, 56), (64, 128, 56), (128, 128, 28), (128, 256, 28)),
        *((256, 256, 14), (256, 512, 14), (512, 512, 7)),
    )
)


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
    for shape in RESNET_18:
        owners.setdefault(shape, []).append("ResNet-18")
    return [dict(zip(KEYS, s, strict=True)) | {"networks": n} for s, n in sorted(owners.items())]


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(shape) for shape in shapes())
    FILE.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
