"""How a network is trained: recipes, presets, schedules and optimizers."""

from __future__ import annotations
