"""Prepares each step for the Numba kernels: weights repacked, kernels chosen."""

from __future__ import annotations

from bnas_deploy.engine.numba.plan import PREPARE
from bnas_deploy.engine.numba.steps import (  # each enters its functions into PREPARE
    binary,
    channels,
    depthwise,
    elementwise,
    float_layers,
    grouped,
    pools,
    quantized,
)

__all__ = [
    "PREPARE",
    "binary",
    "channels",
    "depthwise",
    "elementwise",
    "float_layers",
    "grouped",
    "pools",
    "quantized",
]

PREPARE.check_complete()
