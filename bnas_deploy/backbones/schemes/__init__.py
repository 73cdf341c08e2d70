"""The schemes by name: their convolutions, and what stands around them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bnas_deploy.backbones.schemes.abc_net import AbcConv2d
from bnas_deploy.backbones.schemes.base import Geometry, SchemeConv2d
from bnas_deploy.backbones.schemes.binary_duo import DuoConv2d
from bnas_deploy.backbones.schemes.binarynet import SignConv2d
from bnas_deploy.backbones.schemes.bireal import BirealConv2d
from bnas_deploy.backbones.schemes.bonn import LearnedScaleConv2d
from bnas_deploy.backbones.schemes.cbcn import CirculantConv2d
from bnas_deploy.backbones.schemes.pcnn import ProjectedConv2d
from bnas_deploy.backbones.schemes.xnor import XnorConv2d
from bnas_deploy.backbones.schemes.xnor_plus import ScaledConv2d

__all__ = ["SCHEMES", "Scheme"]


@dataclass(frozen=True)
class Scheme:
    """How a layer is binarized.

    Attributes:
        conv: Makes the convolution, signs included.
        norm: Whether the BatchNorm stands `before` the sign or `after` the convolution.
        activation: Behind a convolution that another one reads: `relu`, `prelu` or none.
    """

    conv: Callable[[Geometry], SchemeConv2d]
    norm: str = "before"
    activation: str = ""


SCHEMES: dict[str, Scheme] = {
    "xnor": Scheme(XnorConv2d, activation="relu"),
    "binarynet": Scheme(SignConv2d, norm="after"),
    "bireal": Scheme(BirealConv2d, norm="after"),
    "abc": Scheme(AbcConv2d),
    "pcnn": Scheme(ProjectedConv2d),
    "cbcn": Scheme(CirculantConv2d, norm="after"),
    "xnor-plus": Scheme(ScaledConv2d, activation="prelu"),
    "bonn": Scheme(LearnedScaleConv2d, norm="after"),
    "binary-duo": Scheme(DuoConv2d),
}
"""By the names of `config.SCHEMES`."""
