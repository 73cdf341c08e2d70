"""A tiny model.pt, and changing what is in one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.genotype import LATEST_CELL_ZEROISE
from bnas_deploy.nn.network import build_network
from bnas_deploy.training.data.preprocessing import PREPROCESSING
from bnas_deploy.training.model.trained_model import TrainedModel, save_model

CONFIG = NetworkConfig("tiny", 3, 4, LATEST_CELL_ZEROISE, classes=3, image_size=8)


def tiny_trained_model(path: Path) -> Path:
    """Write a model.pt of three classes."""
    torch.manual_seed(0)
    network = build_network(CONFIG)
    save_model(
        path, TrainedModel(network, PREPROCESSING["cifar10"], ("a", "b", "c"), {"epochs": 1})
    )
    return path


def change(path: Path, function: Callable[[Any], None]) -> Path:
    """Change what a file holds."""
    value = torch.load(path)
    function(value)
    torch.save(value, path)
    return path
