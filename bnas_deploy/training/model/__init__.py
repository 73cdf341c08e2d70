"""model.pt: writing it, reading it with every check, beginning from it, and learning from it."""

from __future__ import annotations
