"""BatchNorm as scale and shift, and thresholds found by evaluating it.

The dtype is that of the arguments (float32 in an export, float64 in tests). A BatchNorm in
evaluation mode is ``fma(x, alpha, beta)`` with alpha = 1 / sqrt(var + eps), times weight, and
beta = fma(-mean, alpha, bias): PyTorch's rounding to the bit on a CPU with fused multiply-add. A
product of float32 numbers is exact in float64, so computing there and rounding gives that number.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.errors import PassError

__all__ = ["batch_norm_terms", "float_thresholds", "integer_thresholds", "sign_is_positive"]

_CHUNK = 1 << 22  # elements evaluated at a time, 16 MiB of float32


def batch_norm_terms(
    weight: Array, bias: Array, mean: Array, var: Array, eps: float
) -> tuple[Array, Array]:
    """Return alpha and beta, (C,) each, of a BatchNorm in evaluation mode.

    Raises:
        PassError: A result is not finite.
    """
    dtype = weight.dtype.type
    with np.errstate(all="ignore"):
        alpha = (dtype(1) / np.sqrt(var + dtype(eps))) * weight
        beta = (bias - mean.astype(np.float64) * alpha).astype(dtype)
    if not (np.isfinite(alpha).all() and np.isfinite(beta).all()):
        channel = int(np.flatnonzero(~(np.isfinite(alpha) & np.isfinite(beta)))[0])
        msg = (
            f"a BatchNorm has no finite scale and shift in channel {channel}:"
            f" weight {weight[channel]}, bias {bias[channel]}, mean {mean[channel]},"
            f" variance {var[channel]}; is the model trained?"
        )
        raise PassError(msg)
    return alpha, beta


def float_thresholds(alpha: Array, beta: Array) -> tuple[Array, Array]:
    """Return (threshold, flip), (C,) each: ``(x >= threshold) != flip`` iff x*alpha + beta >= 0.

    The two sides agree for every x of the dtype, because x -> x*alpha + beta is monotone and the
    place where its sign changes is found by bisecting the ordered floats, not by division.
    """
    flip = (alpha < 0) | ((alpha == 0) & (beta < 0))

    def beyond(x: Array) -> Array:  # False, then True, as x rises
        moved: Array = sign_is_positive(x, alpha, beta) != flip
        return moved

    low, high = (_key(np.full_like(alpha, end)) for end in (-np.inf, np.inf))
    for _ in range(alpha.dtype.itemsize * 8 + 1):
        middle = (low >> 1) + (high >> 1) + (low & high & 1)
        moved = beyond(_float(middle, alpha.dtype))
        low, high = np.where(moved, low, middle + (middle < high)), np.where(moved, middle, high)
    threshold = _float(high, alpha.dtype) + alpha.dtype.type(0)  # -0 becomes +0
    constant = alpha == 0  # 0 * inf is not a number, so the ends above say nothing
    return np.where(constant, -np.inf, threshold).astype(alpha.dtype), flip


def sign_is_positive(x: Array, alpha: Array, beta: Array) -> npt.NDArray[np.bool_]:
    """Whether the sign of x*alpha + beta is +1, zero included; exact for float32."""
    with np.errstate(all="ignore"):
        return np.greater_equal(x.astype(np.float64) * alpha + beta, 0)


def integer_thresholds(
    positive: Callable[[Array], Array], bound: int, channels: int
) -> tuple[Array, Array]:
    """Return (threshold int32, flip), (O,) each, with ``(d >= threshold) != flip`` iff `positive`.

    Args:
        positive: Maps integers, (1, D) int64, to booleans (channels, D).
        bound: The integers are -bound to bound; a constant sign gets the threshold -bound.
        channels: O.

    Raises:
        PassError: `positive` changes more than once for a channel.
    """
    step = max(1, _CHUNK // channels)
    first = positive(np.array([[-bound]]))[:, 0]
    threshold = np.full(channels, -bound, dtype=np.int64)
    changed = np.zeros(channels, dtype=bool)
    last = first
    for start in range(-bound, bound + 1, step):
        dots = np.arange(start, min(start + step, bound + 1))[None]
        values = np.concatenate([last[:, None], positive(dots)], axis=1)
        changes = values[:, 1:] != values[:, :-1]
        if ((changes.sum(axis=1) + changed) > 1).any():
            msg = (
                "BatchNorm + sign of a dot product is not monotone; this is a bug, please report it"
            )
            raise PassError(msg)
        here = changes.any(axis=1)
        threshold[here] = start + changes.argmax(axis=1)[here]
        changed |= here
        last = values[:, -1]
    # Rising: negative below the threshold. Falling, or always negative: the compare is flipped.
    flip = np.where(changed, first, ~first)
    return threshold.astype(np.int32), flip


def _key(x: Array) -> Array:
    """Integers in the order of the floats."""
    bits = x.view(np.dtype(f"i{x.itemsize}")).astype(np.int64)
    low = np.int64(-(1 << (8 * x.itemsize - 1)))
    return np.where(bits < 0, low - bits - 1, bits)


def _float(key: Array, dtype: np.dtype[np.floating]) -> Array:
    """The inverse of `_key`."""
    low = np.int64(-(1 << (8 * dtype.itemsize - 1)))
    bits = np.where(key < 0, low - key - 1, key)
    return bits.astype(np.dtype(f"i{dtype.itemsize}")).view(dtype)
