"""A float network, built from its configuration."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

from bnas_deploy.errors import ConfigError
from bnas_deploy.plain.config import PlainConfig
from bnas_deploy.plain.ds_cnn import ds_cnn
from bnas_deploy.plain.mobilenet import mobilenetv2
from bnas_deploy.plain.resnet import resnet

__all__ = ["BODIES", "PlainNetwork"]

BODIES: dict[str, Callable[[PlainConfig], tuple[nn.Sequential, int]]] = {
    "resnet": resnet,
    "mobilenetv2": mobilenetv2,
    "ds-cnn": ds_cnn,
}
"""By the names of `config.FAMILIES`."""


class PlainNetwork(nn.Module):
    """Convolutions, global average pooling, classifier.

    Attributes:
        config: What it is made of.
        binary: False; there is no binary form.
        drop_path: Is there as networks of cells have it; nothing is dropped.
        body: Everything before the pooling.
        classifier: The linear layer behind it.

    Raises:
        ConfigError: A binary form is asked for.
    """

    def __init__(self, config: PlainConfig, *, binary: bool) -> None:
        super().__init__()
        if binary:
            msg = f"{config.name} is a float network and has no binary form; train it with --float"
            raise ConfigError(msg)
        self.config = config
        self.binary = False
        self.drop_path = 0.0
        self.body, channels = BODIES[config.family](config)
        self.classifier = nn.Linear(channels, config.classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 3, H, W) to logits (N, classes)."""
        features = functional.adaptive_avg_pool2d(self.body(images), 1)
        logits: Tensor = self.classifier(features.flatten(1))
        return logits
