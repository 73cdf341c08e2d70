"""Ways in which people write binary layers in PyTorch, each in a small network to export."""

from __future__ import annotations

from support.spellings.activations import ACTIVATIONS
from support.spellings.layers import LAYERS
from support.spellings.network import network
from support.spellings.straight_through import STRAIGHT_THROUGH
from support.spellings.weights import WEIGHTS

__all__ = ["SPELLINGS", "network"]

SPELLINGS = {
    "activations": ACTIVATIONS,
    "straight-through estimators": STRAIGHT_THROUGH,
    "weights": WEIGHTS,
    "layers and networks": LAYERS,
}
"""For each kind, what makes a layer from a number of channels, by what people write."""
