"""Training networks: data, recipes, the loop, checkpoints and model.pt."""

from __future__ import annotations
