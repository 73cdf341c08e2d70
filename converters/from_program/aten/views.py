"""Operators that change how a value is seen, take parts of it, or join values."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from bnas_deploy.converters.from_program.call import Call, Outputs, Rule, Value
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["VIEWS"]


def _view(call: Call) -> Outputs:
    return call.emit("Reshape", call["self"], list(call.shape))


def _permute(call: Call) -> Outputs:
    rank = len(call["self"].shape)
    return call.emit("Transpose", call["self"], perm=tuple(d % rank for d in call["dims"]))


def _expand(call: Call) -> Outputs:
    if call.shape == call["self"].shape:
        return call.emit("Identity", call["self"])
    return call.emit("Expand", call["self"], list(call.shape))


def _repeat(call: Call) -> Outputs:
    if all(n == 1 for n in call["repeats"]):
        return _view(call)
    return call.emit("Tile", call["self"], list(call["repeats"]))


def _squeeze(call: Call) -> Outputs:
    x, given = call["self"], call["dim"]
    wanted = [given] if isinstance(given, int) else given
    axes = sorted({d % len(x.shape) for d in wanted if x.shape[d] == 1})
    if 0 in axes:
        msg = "squeezes a batch of one away"
        raise CannotConvert(msg, "name the axes, or give an example of two inputs")
    return call.emit("Squeeze", x, axes) if axes else call.emit("Identity", x)


def _unsqueeze(call: Call) -> Outputs:
    return call.emit("Unsqueeze", call["self"], [call["dim"]])


def _pad(call: Call) -> Outputs:
    pads = _pads(call["pad"], len(call.shape))
    return call.emit("Pad", call["self"], pads, float(call["value"]))


def _pad_as(mode: str) -> Rule:
    def rule(call: Call) -> Outputs:
        return call.emit("Pad", call["self"], _pads(call["padding"], len(call.shape)), mode=mode)

    return rule


def _pads(given: Sequence[int], rank: int) -> list[int]:
    """Those before each axis, then those behind; the pads of PyTorch begin at the last axis."""
    before, after = [0] * rank, [0] * rank
    for i in range(len(given) // 2):
        before[rank - 1 - i], after[rank - 1 - i] = (int(p) for p in given[2 * i : 2 * i + 2])
    return before + after


def _select(call: Call) -> Outputs:
    return call.emit("Gather", call["self"], int(call["index"]), axis=int(call["dim"]))


def _slice(call: Call) -> Outputs:
    axis = int(call["dim"])
    extent = call["self"].shape[axis]
    start, end, step = slice(call["start"], call["end"], call["step"]).indices(extent)
    return call.emit("Slice", call["self"], [start], [end], [axis], [step])


def _split(call: Call) -> Outputs:
    sizes = [int(part.shape[call["dim"]]) for part in call.result]
    if len(sizes) == 1:
        return (call.emit("Identity", call["self"]),)
    axis = int(call["dim"])
    return call.emit_parts("Split", call["self"], sizes, outputs=len(sizes), axis=axis)


def _index_select(call: Call) -> Outputs:
    index = call.constant("index", "what it selects")
    return call.emit("Gather", call["self"], index, axis=int(call["dim"]))


def _index(call: Call) -> Outputs:
    """One list of places along one axis."""
    places = [(axis, x) for axis, x in enumerate(call["indices"]) if x is not None]
    axis, index = places[0]
    plain = isinstance(index, torch.Tensor) and index.ndim == 1 and len(places) == 1
    if not plain:
        msg = "takes elements by computed or several indices"
        raise CannotConvert(msg, "select whole channels, rows or columns")
    if index.dtype == torch.bool:
        index = index.nonzero().reshape(-1)
    return call.emit("Gather", call["self"], index, axis=axis)


def _flip(call: Call) -> Outputs:
    result = call["self"]
    dims = list(call["dims"])
    for i, axis in enumerate(dims):
        places = list(range(call.shape[axis]))[::-1]
        label = "" if i == len(dims) - 1 else f"axis{axis}"
        result = call.emit("Gather", result, places, label=label, axis=axis)
    return result if isinstance(result, str) else call.emit("Identity", result)


def _join(call: Call) -> Outputs:
    parts = [x for x in call["tensors"] if isinstance(x, Value) or x.numel()]
    return call.emit("Concat", *parts, axis=int(call["dim"]))


VIEWS: dict[str, Rule] = {
    "_unsafe_view": _view,
    "cat": _join,
    "constant_pad_nd": _pad,
    "expand": _expand,
    "flip": _flip,
    "index": _index,
    "index_select": _index_select,
    "permute": _permute,
    "reflection_pad2d": _pad_as("reflect"),
    "repeat": _repeat,
    "replication_pad2d": _pad_as("edge"),
    "reshape": _view,
    "select": _select,
    "slice": _slice,
    "split": _split,
    "split_with_sizes": _split,
    "squeeze": _squeeze,
    "unsqueeze": _unsqueeze,
    "view": _view,
}
