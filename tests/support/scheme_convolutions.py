"""Small convolutions of every scheme, with parameters other than their initial ones."""

from __future__ import annotations

import torch

from bnas_deploy.backbones import config
from bnas_deploy.backbones.schemes import SCHEMES
from bnas_deploy.backbones.schemes.base import Geometry


def make(name, **changes):
    torch.manual_seed(0)
    bases = min(3, config.SCHEMES[name])
    values = {"inputs": 8, "outputs": 12, "kernel": 3, "side": 5, "bases": bases, **changes}
    conv = SCHEMES[name].conv(Geometry(**values)).double()
    with torch.no_grad():
        for key, parameter in conv.named_parameters():
            if key != "weight":
                parameter.add_(0.3 * torch.randn_like(parameter))
    return conv
