"""What a run leaves in its folder."""

from __future__ import annotations
