"""Writes the networks that web/bench/run.js measures, and the answers to check them by.

Usage: make_models.py FOLDER, with bnas_deploy and benchmarks/ on Python's path.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import networks
import numpy as np
import others
from images import image
from tfjs_graph import write_graph

import bnas_deploy
from bnas_deploy.format import PackedModel, write
from bnas_deploy.rivals import files, onnx_export, torch_float

BIREAL = "bireal18-imagenet"
IMAGES = 4
"""How many the answers are compared on."""


@dataclass(frozen=True)
class Measured:
    """A network.

    Attributes:
        label: For people.
        packed: The packed program, given whether what can be is in 8 bits.
        counterpart: The float network of the same shape, which the rivals run.
        size: Height and width of its images.
    """

    label: str
    packed: Callable[[bool], PackedModel]
    counterpart: Callable[[], Any]
    size: int


def bnas(label: str, network: str, shortcut: str) -> Measured:
    """A network of the paper."""
    variant = partial(networks.Variant, network, shortcut=shortcut)
    return Measured(
        label,
        lambda eight_bit: networks.packed(variant(eight_bit=eight_bit)),
        lambda: networks.build(variant(), binary=False),
        networks.config(variant()).image_size,
    )


NETWORKS = {
    "mini": bnas("BNAS-Mini, `pool1x1`", "Mini", "pool1x1"),
    "a": bnas("BNAS-A, `pool1x1`", "A", "pool1x1"),
    "a-conv": bnas("BNAS-A, the paper's shortcut", "A", "conv"),
    "bireal18": Measured(
        "Bi-Real ResNet-18, 224×224",
        lambda eight_bit: others.packed(BIREAL, eight_bit=eight_bit),
        lambda: others.float_network(BIREAL),
        224,
    ),
}


def main(folder: Path) -> None:
    """Everything, and a list of it (manifest.json)."""
    found = {}
    for name, network in NETWORKS.items():
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        batch = np.concatenate([image(i, network.size) for i in range(IMAGES)])
        _packed(network, place, batch)
        _rivals(network, place, batch)
        found[name] = {"label": network.label, "size": network.size}
    manifest = {
        "images": IMAGES,
        "networks": found,
        "most_difference": files.MOST_DIFFERENCE,
        "least_correlation": files.LEAST_CORRELATION,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2))


def _packed(network: Measured, place: Path, batch: np.ndarray) -> None:
    """The .bnn files, each with Python's logits."""
    for name, eight_bit in (("packed", False), ("packed-8-bit", True)):
        path = place / f"{name}.bnn"
        write(network.packed(eight_bit), path)
        bnas_deploy.load(path).run(batch).tofile(place / f"{name}.logits")


def _rivals(network: Measured, place: Path, batch: np.ndarray) -> None:
    """The float counterpart as ONNX, float32 and int8, with PyTorch's logits."""
    counterpart = network.counterpart()
    calibration = networks.images(network.size, networks.CALIBRATION_IMAGES)
    for int8 in (False, True):
        onnx = onnx_export.export(counterpart, calibration, int8=int8)
        (place / ("int8.onnx" if int8 else "float32.onnx")).write_bytes(onnx)
    write_graph((place / "float32.onnx").read_bytes(), place)
    torch_float.runner(counterpart)(batch).tofile(place / "float32.logits")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
