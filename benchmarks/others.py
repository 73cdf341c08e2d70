"""Binary networks that are not BNAS: MLPs imported as ONNX, ResNets, and their float networks.

Weights are random, nothing is trained: speed does not depend on them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import networks
import numpy as np
import torch
from torch import Tensor, nn

from bnas_deploy.converters import convert_network
from bnas_deploy.converters.eight_bit.facts import KINDS, EightBitOptions
from bnas_deploy.converters.from_onnx.convert import convert_onnx
from bnas_deploy.format import PackedModel
from bnas_deploy.networks.build import AnyNetwork, build_network
from bnas_deploy.networks.config import find_config
from bnas_deploy.rivals import onnx_export

__all__ = ["NETWORKS", "Other", "float_network", "inputs", "packed"]

SEED = 20
BATCH = 16
WIDTH, HIDDEN, CLASSES, PIXELS = 1024, 4, 10, 784


class _Sign(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x >= 0, 1.0, -1.0)


def _signs(layer: nn.Linear) -> nn.Linear:
    with torch.no_grad():
        layer.weight.copy_(torch.where(layer.weight >= 0, 1.0, -1.0))
    return layer


def _mlp(*, binary: bool, pixels: bool) -> nn.Module:
    """An MLP for digits whose weights are signs; so are all inputs, but the first if `pixels`."""
    layers: list[nn.Module] = []
    for index, (inputs, outputs) in enumerate(pairwise([PIXELS, *[WIDTH] * HIDDEN, CLASSES])):
        linear = nn.Linear(inputs, outputs, bias=False)
        if index or not pixels:
            layers += [nn.BatchNorm1d(inputs), _Sign() if binary else nn.ReLU()]
        layers.append(_signs(linear) if binary else linear)
    return nn.Sequential(*layers)


def _imported(network: nn.Module, batch: np.ndarray, eight_bit: bool) -> PackedModel:
    """By way of ONNX, compared with ONNX Runtime on the way."""
    assert not eight_bit
    graph = onnx_export.export(network, batch[:1])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "binary.onnx"
        path.write_bytes(graph)
        model, report = convert_onnx(path, allow_float=True)
    check = report.self_check
    assert check is not None
    assert check.same_answer == check.images, check
    return model


def _exported(network: AnyNetwork, batch: np.ndarray, eight_bit: bool) -> PackedModel:
    options = {"eight_bit": EightBitOptions(KINDS, batch)} if eight_bit else {}
    model, _ = convert_network(network, **options)
    return model


@dataclass(frozen=True)
class Other:
    """A network.

    Attributes:
        build: Builds it, or its float counterpart if `binary` is false.
        shape: Of its input.
        pack: Makes it a packed model, given inputs, and whether its float layers are to be in 8
            bits.
        eight_bit: Whether they can be.
    """

    build: Callable[..., Any]
    shape: tuple[int, ...]
    pack: Callable[[Any, np.ndarray, bool], PackedModel]
    eight_bit: bool


def _backbone(name: str) -> Other:
    config = find_config(name)
    shape = (3, config.image_size, config.image_size)
    return Other(partial(build_network, config), shape, _exported, eight_bit=True)


NETWORKS = {
    "MLP": Other(partial(_mlp, pixels=False), (PIXELS,), _imported, eight_bit=False),
    "MLP on pixels": Other(partial(_mlp, pixels=True), (PIXELS,), _imported, eight_bit=False),
    "xnor-resnet18": _backbone("xnor-resnet18"),
    "bireal18": _backbone("bireal18"),
    "xnor-resnet18-imagenet": _backbone("xnor-resnet18-imagenet"),
    "bireal18-imagenet": _backbone("bireal18-imagenet"),
}


def inputs(name: str, count: int = 1) -> np.ndarray:
    """Noise, float32 (count, *shape)."""
    rng = np.random.default_rng(SEED)
    return rng.standard_normal((count, *NETWORKS[name].shape), dtype=np.float32)


@cache
def _settled(name: str, *, binary: bool) -> Any:  # noqa: ANN401 - as they are built
    """Build a network whose BatchNorm statistics are those of noise, so that signs vary."""
    torch.manual_seed(SEED)
    network = NETWORKS[name].build(binary=binary)
    networks.settle(network, torch.from_numpy(inputs(name, BATCH)))
    return network.eval()


def float_network(name: str) -> nn.Module:
    """The float counterpart, in evaluation mode."""
    network: nn.Module = _settled(name, binary=False)
    return network


@cache
def packed(name: str, *, eight_bit: bool = False) -> PackedModel:
    """The binary network, packed; float layers in 8 bits if asked for."""
    return NETWORKS[name].pack(_settled(name, binary=True), inputs(name, BATCH), eight_bit)
