"""Trying a way of computing a part of a convolution against float32, with other memory each time.

What a kernel forgets to write is whatever was in memory before. A fresh process mostly finds zeros
there and looks right, so blocks of many sizes are filled with large numbers, and then with NaN, and
given back to the allocator just before each try.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from bnas_deploy.training.arithmetic.ways import Call, Way, compute

__all__ = ["expected", "is_right", "poison", "spacing", "tolerance"]

_VALUES = (1e4, math.nan)
"""In bfloat16: two of them side by side are a large float32, or NaN, too."""

_SAMPLE = 16
"""Images, about, of which outputs and input gradients are compared; sums are over all images."""

_SIZES = tuple(2**power for power in range(8, 23, 2))
_COPIES = 3
_ROUNDING = 1e-3
"""Share of a result's norm by which rounding may move it, at least. On GPUs float32 may be computed
with the 10 bits of TensorFloat32."""

_SUMS = 8 * 2.0**-24
"""The same of the norms of what is multiplied: sums of float32 that nearly cancel out."""


def expected(part: str, call: Call) -> Tensor:
    """Compute a part in float32 from the same numbers, by PyTorch's own plain kernels.

    Returns:
        All weight gradients, or what belongs to some of the images: every `spacing`-th.
    """
    with _plain_kernels():
        return compute(part, _in_float32(call, spacing(part, call)), Way(contiguous=True))


def spacing(part: str, call: Call) -> int:
    """Return the distance of the images that are compared; 1 where their sum is."""
    return 1 if part == "weight gradients" else max(1, len(call.x) // _SAMPLE)


def is_right(part: str, call: Call, way: Way, reference: Tensor) -> bool:
    """Whether a way gives the reference, but for rounding, whatever memory held before.

    Args:
        part: One of `ways.PARTS`.
        call: The convolution.
        way: To be tried.
        reference: What `expected` returns.
    """
    step = spacing(part, call)
    for value in _VALUES:
        poison(value, call.x.device)
        off = float((compute(part, call, way)[::step].float() - reference).norm())
        # NaN fails both; the second is dear, and hardly ever needed.
        if not (off <= _rounding(call, reference) or off <= tolerance(part, call, reference)):
            return False
    return True


def tolerance(part: str, call: Call, reference: Tensor) -> float:
    """Return the largest norm of a difference that rounding explains.

    Rounding of the result, and of sums of float32: relative to the norms of what is multiplied, as
    terms may nearly cancel out.
    """
    factors = {
        "outputs": (call.x, call.weight),
        "input gradients": (call.grad, call.weight),
        "weight gradients": (call.grad, call.x),
    }[part]
    taps = math.prod(call.geometry.weight[2:])
    product = math.prod(float(t.float().norm()) for t in factors if t is not None)
    return _rounding(call, reference) + _SUMS * product * math.sqrt(taps)


def _rounding(call: Call, reference: Tensor) -> float:
    return max(_ROUNDING, torch.finfo(call.x.dtype).eps) * float(reference.norm())


def poison(value: float, device: torch.device) -> None:
    """Leave free blocks of memory that hold a value."""
    sizes = (size for size in _SIZES for _ in range(_COPIES))
    blocks = [torch.full((size,), value, dtype=torch.bfloat16, device=device) for size in sizes]
    del blocks


def _in_float32(call: Call, step: int) -> Call:
    x, grad = (None if t is None else t[::step].float() for t in (call.x, call.grad))
    weight, bias = (None if t is None else t.float() for t in (call.weight, call.bias))
    assert x is not None
    assert weight is not None
    return Call(call.geometry, x, weight, bias, grad)


@contextmanager
def _plain_kernels() -> Iterator[None]:
    """Keep oneDNN and cuDNN out."""
    # PyTorch's stubs do not know that both have it.
    libraries: tuple[Any, ...] = (torch.backends.mkldnn, torch.backends.cudnn)
    before = [library.enabled for library in libraries]
    try:
        for library in libraries:
            library.enabled = False
        yield
    finally:
        for library, enabled in zip(libraries, before, strict=True):
            library.enabled = enabled
