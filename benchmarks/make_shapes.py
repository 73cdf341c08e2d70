"""Writes shapes.json, the distinct binary convolutions of BNAS-Mini to C; measures nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import networks
import torch

from bnas_deploy.nn.layers import BinaryConv2d

NETWORKS = ("Mini", "A", "B", "C")
FILE = Path(__file__).with_name("shapes.json")


def binary_convolutions(name: str) -> list[tuple[int, ...]]:
    """(channels, outputs, height, width, kernel, stride, padding, dilation) of each."""
    network = networks.build(name)
    found: list[tuple[int, ...]] = []

    def record(module: BinaryConv2d, inputs: tuple[torch.Tensor], _output: Any) -> None:  # noqa: ANN401
        geometry = (module.kernel_size, module.stride, module.padding, module.dilation)
        found.append(
            (
                module.in_channels,
                module.out_channels,
                *inputs[0].shape[2:],
                *(g[0] for g in geometry),
            )
        )

    hooks = [
        m.register_forward_hook(record) for m in network.modules() if isinstance(m, BinaryConv2d)
    ]
    with torch.inference_mode():
        network(torch.from_numpy(networks.images(network.config.image_size)))
    for hook in hooks:
        hook.remove()
    return found


def shapes() -> list[dict[str, Any]]:
    """Every distinct shape with the networks that have it."""
    owners: dict[tuple[int, ...], list[str]] = {}
    for name in NETWORKS:
        for shape in dict.fromkeys(binary_convolutions(name)):
            owners.setdefault(shape, []).append(name)
    keys = ("channels", "outputs", "height", "width", "kernel", "stride", "padding", "dilation")
    return [dict(zip(keys, s, strict=True)) | {"networks": n} for s, n in sorted(owners.items())]


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(shape) for shape in shapes())
    FILE.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
