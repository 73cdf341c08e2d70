"""Binary networks that come in as ONNX, as other tools write them, and their float counterparts.

Weights are random, nothing is trained: speed does not depend on them.
"""

from __future__ import annotations

import tempfile
from functools import cache, partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from rivals import onnx_runtime
from torch import Tensor, nn

from bnas_deploy.converters.onnx_import import convert_onnx
from bnas_deploy.format import PackedModel

__all__ = ["NETWORKS", "float_network", "inputs", "packed"]

SEED = 20
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


NETWORKS = {
    "MLP": (partial(_mlp, pixels=False), (PIXELS,)),
    "MLP on pixels": (partial(_mlp, pixels=True), (PIXELS,)),
}
"""Name, what builds it, and the shape of its input."""


def inputs(name: str, count: int = 1) -> np.ndarray:
    """Noise, float32 (count, *shape)."""
    rng = np.random.default_rng(SEED)
    return rng.standard_normal((count, *NETWORKS[name][1]), dtype=np.float32)


@cache
def _settled(name: str, *, binary: bool) -> nn.Module:
    """Build a network whose BatchNorm statistics are those of noise, so that signs vary."""
    torch.manual_seed(SEED)
    network = NETWORKS[name][0](binary=binary)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.momentum = 1.0  # the statistics of the one pass below, unmixed
                # As training leaves them: without shifts, thresholds would lie on whole numbers.
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(std=0.3)
        network.train()(torch.from_numpy(inputs(name, 16)))
    return network.eval()


def float_network(name: str) -> nn.Module:
    """The float counterpart, in evaluation mode."""
    return _settled(name, binary=False)


@cache
def packed(name: str) -> PackedModel:
    """The binary network by way of ONNX, compared with ONNX Runtime on the way."""
    graph = onnx_runtime.export(_settled(name, binary=True), inputs(name))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "binary.onnx"
        path.write_bytes(graph)
        found = convert_onnx(path, allow_float=True)
    check = found.report.self_check
    assert check is not None
    assert check.same_answer == check.images, check
    return found.model
