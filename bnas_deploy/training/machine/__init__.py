"""Where a run computes: device, precision, and the processes that train together."""

from __future__ import annotations
