"""What torchrun tells a process through its environment, read without torch."""

from __future__ import annotations

import os

__all__ = [
    "is_spokesman",
    "started_by_torchrun",
]

_VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


def started_by_torchrun() -> bool:
    """Tell whether this process is one of several that torchrun has started."""
    return all(name in os.environ for name in _VARIABLES) and os.environ["WORLD_SIZE"] != "1"


def is_spokesman() -> bool:
    """Tell whether this process speaks for those of its machine about what all of them see."""
    return not started_by_torchrun() or os.environ["LOCAL_RANK"] == "0"
