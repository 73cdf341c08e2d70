"""The meaning of every step in plain NumPy, kept simple and never optimised.

The code follows `docs/format.md` word by word.
"""

from __future__ import annotations

from bnas_deploy.engine.reference.steps import (  # each enters its functions into MEANING
    binary,
    channels,
    elementwise,
    float_layers,
    pools,
    quantized,
)
from bnas_deploy.engine.reference.steps.state import MEANING, State

__all__ = [
    "MEANING",
    "State",
    "binary",
    "channels",
    "elementwise",
    "float_layers",
    "pools",
    "quantized",
]

MEANING.check_complete()
