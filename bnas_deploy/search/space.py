"""The search space: the names of the primitives that compete on each edge."""

from __future__ import annotations

from bnas_deploy.errors import ConfigError
from bnas_deploy.nn.genotype import INPUT_STATES, NODES, PRIMITIVES

__all__ = [
    "PAPER_SPACE",
    "SEPARABLE",
    "SUPERNET_EDGES",
    "ZEROISE",
    "build_space",
    "is_learnable",
]

ZEROISE = "none"

PAPER_SPACE: tuple[str, ...] = (
    ZEROISE,
    "max_pool_3x3",
    "avg_pool_3x3",
    "bin_conv_3x3",
    "bin_conv_5x5",
    "bin_dil_conv_3x3",
    "bin_dil_conv_5x5",
)
"""The paper's search space (Table 3), in the order that decides ties."""

SEPARABLE: tuple[str, ...] = ("bin_sep_conv_3x3", "bin_sep_conv_5x5")
"""What Table 12 adds to the space."""

SUPERNET_EDGES: tuple[tuple[int, int], ...] = tuple(
    (INPUT_STATES + node, source) for node in range(NODES) for source in range(INPUT_STATES + node)
)
"""(target state, source state) of the fourteen edges: each node reads every state before it."""


def build_space(
    *, zeroise: bool = True, dilated: bool = True, separable: bool = False
) -> tuple[str, ...]:
    """Return the primitives that compete: Table 3's, changed as the paper's ablations do.

    Args:
        zeroise: Keep Zeroise (without it: Table 8's "No Zeroise").
        dilated: Keep the dilated convolutions (without them: Table 11).
        separable: Add the separable convolutions (Table 12).

    Raises:
        ConfigError: Separable convolutions are wanted and this installation has none.
    """
    missing = [name for name in SEPARABLE if name not in PRIMITIVES]
    if separable and missing:
        msg = (
            f"--separable: the primitives {' and '.join(missing)} are not registered;"
            f" known are {', '.join(PRIMITIVES)}; leave --separable out"
        )
        raise ConfigError(msg)
    names = PAPER_SPACE + (SEPARABLE if separable else ())
    return tuple(
        name for name in names if (zeroise or name != ZEROISE) and (dilated or "_dil_" not in name)
    )


def is_learnable(name: str) -> bool:
    """Whether a primitive has weights of its own: convolutions do, pools and Zeroise do not."""
    return "conv" in name
