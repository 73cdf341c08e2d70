"""Training networks: data, recipes, the loop, checkpoints and their product."""

from __future__ import annotations
