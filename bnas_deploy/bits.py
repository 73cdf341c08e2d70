"""What a bit means, and the only code that packs and unpacks bits.

The convention (docs/bits.md explains why): bit 1 stands for -1 and bit 0 for +1; ``sign(0) = +1``;
the first element of a row is the least significant bit of the row's first word; words are unsigned
64-bit, little-endian in files; bits beyond the end of a row are zero. The dot product of two packed
rows of ``n`` elements is ``n - 2 * popcount(a xor w)``.

Shapes: K bits per row, W = ceil(K / 64) words per row.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["WORD_BITS", "negative", "pack_rows", "padding_is_zero", "unpack_rows", "words_for"]

WORD_BITS = 64


def words_for(bits: int) -> int:
    """Number of 64-bit words that hold `bits` bits."""
    return -(-bits // WORD_BITS)


def negative(x: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    """Bit of each element: True where ``x < 0``, so that ``sign(0)`` and ``sign(-0.0)`` are +1."""
    return np.asarray(np.less(x, 0), dtype=np.bool_)


def pack_rows(bits: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint64]:
    """Pack the last axis: (..., K) booleans, True for -1, to (..., W) uint64 words.

    Example:
        >>> pack_rows(np.array([True, False, True]))
        array([5], dtype=uint64)
    """
    bits = np.asarray(bits, dtype=np.bool_)
    *lead, k = bits.shape
    padded = np.zeros((*lead, words_for(k) * WORD_BITS), dtype=np.bool_)
    padded[..., :k] = bits
    octets = np.packbits(padded, axis=-1, bitorder="little")
    return np.ascontiguousarray(octets).view("<u8").astype(np.uint64, copy=False)


def unpack_rows(words: npt.NDArray[np.uint64], k: int) -> npt.NDArray[np.bool_]:
    """Unpack the last axis: (..., W) words to (..., k) booleans; the inverse of `pack_rows`."""
    octets = np.ascontiguousarray(words, dtype="<u8").view(np.uint8)
    bits = np.unpackbits(octets, axis=-1, bitorder="little", count=k)
    return bits.astype(np.bool_)


def padding_is_zero(words: npt.NDArray[np.uint64], k: int) -> bool:
    """Whether the bits of each row beyond its first `k` are zero."""
    used = k % WORD_BITS
    if used == 0 or words.size == 0:
        return True
    return int(words[..., -1].max()) >> used == 0
