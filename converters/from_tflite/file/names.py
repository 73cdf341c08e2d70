"""Names of tensors and operators, as people know them from their model."""

from __future__ import annotations

from bnas_deploy.shown import safe

__all__ = ["Names", "layer_name"]

LIMIT = 200
"""Characters that are kept."""

_LAYERS = {
    "CONV_2D": "conv", "DEPTHWISE_CONV_2D": "depthwise", "FULLY_CONNECTED": "matmul",
    "LceBconv2d": "conv",
}  # fmt: skip
"""What the name of a layer says, among those of all that was fused into it."""


def layer_name(name: bytes | None, op: str) -> str:
    """Return the part of a tensor's name, parts with semicolons between, that names its operator.

    Args:
        name: As the file has it.
        op: What makes the tensor.
    """
    parts = [safe(part) for part in (name or b"").decode("utf-8", "replace").split(";")]
    word = _LAYERS.get(op, "")
    own = [part for part in parts if word and word in part.rpartition("/")[2].lower()]
    return (own or parts)[0][:LIMIT]


class Names:
    """Makes names unique."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def unique(self, name: str, place: int) -> str:
        """Return the name, with the place behind it if it is empty or taken."""
        found = f"{name} #{place}".lstrip() if not name or name in self._taken else name
        self._taken.add(found)
        return found
