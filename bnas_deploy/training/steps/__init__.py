"""What one step computes: loss, gradients and answers."""

from __future__ import annotations
