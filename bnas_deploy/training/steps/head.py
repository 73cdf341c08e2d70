"""Which parameters rest while new layers are trained alone, on top of a trained network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from bnas_deploy.errors import UsageError

__all__ = ["resting"]


def resting(network: nn.Module, initial: Mapping[str, Any] | None) -> list[nn.Parameter]:
    """Return the parameters of the layers that have weights already.

    Args:
        network: To be trained.
        initial: Where its weights come from, as `initial.start_from` tells.

    Raises:
        UsageError: All layers begin anew, or none does.
    """
    if initial is None:
        msg = "recipe: head_epochs trains new layers on top of a trained network; add --init"
        raise UsageError(msg)
    new = tuple(f"{name}." for name in initial["new"])
    if not new:
        msg = (
            f"recipe: head_epochs trains new layers alone, and all have weights from"
            f" {initial['file']}; set it to 0"
        )
        raise UsageError(msg)
    return [p for name, p in network.named_parameters() if not name.startswith(new)]
