"""Signs as larq's Compute Engine packs them: 32 channels in a word, a 1 for -1."""

from __future__ import annotations

import numpy as np

from bnas_deploy.converters.graph.nodes import Array

__all__ = ["WORD", "unpacked"]

WORD = 32
"""Channels in a word."""


def unpacked(words: Array, channels: int) -> Array:
    """Return signs (..., channels) of words (..., words), float32.

    Raises:
        ValueError: The words hold fewer channels, or are not int32.
    """
    if words.dtype != np.int32 or words.shape[-1] != -(-channels // WORD):
        msg = f"{channels} channels in words {list(words.shape)} of {words.dtype}"
        raise ValueError(msg)
    octets = np.ascontiguousarray(words.astype("<i4")).view(np.uint8)
    bits = np.unpackbits(octets, axis=-1, bitorder="little")[..., :channels]
    return 1 - 2 * bits.astype(np.float32)
