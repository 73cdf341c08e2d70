"""A network of a backbone and a scheme, built from its configuration."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from bnas_deploy.backbones.config import BackboneConfig
from bnas_deploy.backbones.densenet import densenet
from bnas_deploy.backbones.nin import nin
from bnas_deploy.backbones.parts import Maker
from bnas_deploy.backbones.resnet import BIREAL18, BIREAL20, BIREAL34, RESNET18, RESNET34, Body
from bnas_deploy.backbones.resnext import resnext
from bnas_deploy.backbones.senet import SENET18
from bnas_deploy.backbones.wide_resnet import wide_resnet

__all__ = ["BODIES", "BackboneNetwork"]

BODIES: dict[str, Body] = {
    "resnet18": RESNET18,
    "resnet34": RESNET34,
    "bireal18": BIREAL18,
    "bireal20": BIREAL20,
    "bireal34": BIREAL34,
    "wrn40": wide_resnet,
    "densenet": densenet,
    "nin": nin,
    "senet18": SENET18,
    "resnext29": resnext,
}
"""By the names of `config.BACKBONES`."""


class BackboneNetwork(nn.Module):
    """Stem, stages, global average pooling, classifier.

    Attributes:
        config: What it is made of.
        binary: Whether its units are binarized; the float counterpart has a ReLU for each sign.
        drop_path: Is there as networks of cells have it; nothing is dropped.
        stem: In full precision.
        stages: Of units.
        tail: BatchNorm and ReLU, or nothing.
        classifier: The linear layer behind the pooling.
    """

    def __init__(self, config: BackboneConfig, *, binary: bool = True) -> None:
        super().__init__()
        self.config = config
        self.binary = binary
        self.drop_path = 0.0
        make = Maker(config, binary=binary)
        self.stem, self.stages, channels = BODIES[config.backbone](make)
        self.tail = make.tail(channels)
        self.classifier = nn.Linear(channels, config.classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 3, H, W) to logits (N, classes)."""
        features = self.tail(self.stages(self.stem(images)))
        logits: Tensor = self.classifier(functional.adaptive_avg_pool2d(features, 1).flatten(1))
        return logits
