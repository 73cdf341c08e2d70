"""A run from its start to its end: the loop, what it measures, and its checkpoints."""

from __future__ import annotations
