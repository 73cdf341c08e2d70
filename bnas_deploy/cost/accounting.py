"""Two ways to add up the layers of a network: the paper's, and the full one.

**Paper** (Section 5.1, Tables 6, 8, 10): one float multiply-accumulate is one FLOP and a binary
one 1/64; `preprocess_res`, the shortcut of the reduction cells, is left out, and so is BatchNorm.
Memory: 1 bit per binary weight, 32 per float weight or bias of stem and classifier.
**Full**: the shortcut's operations, weights and biases (of whichever kind it is; an average pooling
counts nothing, as pools do in the paper, a binary convolution as any other) are counted too, and in
memory the learned parameters of every BatchNorm at 32 bits each; that makes the float total of a
network exactly 32 bits times its number of parameters. The scales beta are left out: one number per
output channel.
**8 bits**: the paper has none; a multiply-accumulate of 8 bits is 1/8 FLOP by the rule that makes a
binary one 1/64: of the 64 bits that one instruction is taken to work on, it needs 8.

Speed-up and memory saving are relative to the *float* count of some network; the paper takes the
network without Zeroise for that (Table 10), also for the one with Zeroise.
"""

from __future__ import annotations

from bnas_deploy.cost.network import Layer, network_layers
from bnas_deploy.nn.config import NetworkConfig

__all__ = [
    "float_flops",
    "full_flops",
    "memory_bits",
    "memory_saving",
    "paper_figures",
    "paper_flops",
    "speedup",
]

BINARY_MACS_PER_FLOP = 64
EIGHT_BIT_MACS_PER_FLOP = 8
FLOAT_BITS = 32

SHORTCUTS = ("shortcut", "binary_shortcut")
"""The kinds of layers that the paper's accounting leaves out."""


def paper_flops(config: NetworkConfig) -> float:
    """FLOPs of one image as the paper counts them: the shortcut convolutions left out.

    Example:
        >>> from bnas_deploy.nn.config import get_config
        >>> round(paper_flops(get_config("A")) / 1e8, 2)
        0.14
    """
    return _flops(config, full=False)


def full_flops(config: NetworkConfig, *, shortcut_bits: int = FLOAT_BITS) -> float:
    """FLOPs of one image with the full-precision shortcut convolutions counted.

    Args:
        config: The network.
        shortcut_bits: Bits of a weight of a shortcut convolution, 32 or 8.
    """
    return _flops(config, full=True, shortcut_bits=shortcut_bits)


def paper_figures(config: NetworkConfig, shortcut_bits: int = FLOAT_BITS) -> dict[str, float]:
    """FLOPs of a network in both accountings, for `PackedModel.cost`: `paper_flops`, `full_flops`.

    Args:
        config: The network.
        shortcut_bits: Bits of a weight of a shortcut convolution, 32 or 8.
    """
    full = full_flops(config, shortcut_bits=shortcut_bits)
    return {"paper_flops": paper_flops(config), "full_flops": full}


def float_flops(config: NetworkConfig, *, full: bool = False) -> int:
    """FLOPs of one image were nothing binary: every multiply-accumulate is one.

    Args:
        config: The network.
        full: Whether the shortcut convolutions count.
    """
    return sum(layer.macs for layer in _counted(config, full))


def speedup(
    config: NetworkConfig,
    *,
    over: NetworkConfig,
    full: bool = False,
    shortcut_bits: int = FLOAT_BITS,
) -> float:
    """How many times fewer FLOPs the binary `config` takes than the float `over`.

    Args:
        config: The binary network.
        over: The network whose float count is the yardstick (paper: the one without Zeroise).
        full: Whether the shortcut convolutions count, in both.
        shortcut_bits: Bits of a weight of `config`'s shortcut convolutions, 32 or 8.
    """
    return float_flops(over, full=full) / _flops(config, full=full, shortcut_bits=shortcut_bits)


def memory_bits(
    config: NetworkConfig,
    *,
    binary: bool = True,
    full: bool = False,
    shortcut_bits: int = FLOAT_BITS,
) -> int:
    """Bits that the parameters of a network take.

    Args:
        config: The network.
        binary: Whether binary weights take 1 bit (else 32, the float counterpart).
        full: Whether shortcut convolutions, biases and BatchNorm parameters count.
        shortcut_bits: Bits of a weight of a shortcut convolution, 32 or 8; matters when `full`.
    """
    bits = {
        "binary": 1 if binary else FLOAT_BITS,
        "binary_shortcut": 1 if binary else FLOAT_BITS,
        "float": FLOAT_BITS,
        "shortcut": shortcut_bits if binary else FLOAT_BITS,
    }
    total = 0
    for layer in _counted(config, full):
        others = layer.biases + (layer.norm_params if full else 0)
        total += layer.weights * bits[layer.kind] + others * FLOAT_BITS
    return total


def memory_saving(
    config: NetworkConfig,
    *,
    over: NetworkConfig,
    full: bool = False,
    shortcut_bits: int = FLOAT_BITS,
) -> float:
    """How many times less memory the binary `config` takes than the float `over`.

    Arguments are those of `speedup` and `memory_bits`.
    """
    own = memory_bits(config, full=full, shortcut_bits=shortcut_bits)
    return memory_bits(over, binary=False, full=full) / own


def _flops(config: NetworkConfig, *, full: bool, shortcut_bits: int = FLOAT_BITS) -> float:
    shortcut = 1 if shortcut_bits == FLOAT_BITS else EIGHT_BIT_MACS_PER_FLOP
    binary = BINARY_MACS_PER_FLOP
    per_flop = {"binary": binary, "binary_shortcut": binary, "shortcut": shortcut, "float": 1}
    return sum(layer.macs / per_flop[layer.kind] for layer in _counted(config, full))


def _counted(config: NetworkConfig, full: bool) -> tuple[Layer, ...]:
    return tuple(layer for layer in network_layers(config) if full or layer.kind not in SHORTCUTS)
