"""Binary layers: weights of one magnitude a channel on a value of two levels; no protobuf.

A packed convolution knows the signs -1 and +1 only. What a graph means beyond that is put into the
same step, exactly:

- Levels other than -1 and +1 (say 0 and 1) are a scale, and a constant added for each tap.
- A third level at zero (ONNX's Sign) is the mean of two signs, one +1 at zero, the other -1; so the
  channel is there twice. Weights that are zero are the difference of two: the same again.
- A border of ones (a Pad) is a constant for every output, less the taps inside the image.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.signs.flow import Flow, Pads
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.limits import WEIGHT_LIMIT
from bnas_deploy.converters.signs.obstacles import CannotConvert
from bnas_deploy.converters.signs.zeros import may_vanish, only_dots

__all__ = ["Window", "binary_conv", "binary_depthwise", "binary_groups", "binary_parts", "floats"]


@dataclass(frozen=True)
class Window:
    """How a convolution moves, with padding of zeros (top, left, bottom, right)."""

    stride: tuple[int, int] = (1, 1)
    padding: Pads = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)

    def attributes(self) -> dict[str, object]:
        """Those of a graph's convolution."""
        return {
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "activation": "none",
        }


def binary_parts(weight: Array) -> tuple[Array, Array] | None:
    """Signs of -1, 0, +1 (int8) and a magnitude (O,) of weights (O, ...), if they are so."""
    flat = np.abs(weight.reshape(len(weight), -1))
    scale = flat.max(axis=1)
    if not ((flat == 0) | (flat == scale[:, None])).all():
        return None
    signs = np.sign(weight).astype(np.int8)
    dead = scale == 0
    signs[dead] = 1
    return signs, scale.astype(np.float64)


def binary_conv(
    imports: Importer,
    flow: Flow,
    signs: Array,
    scale: Array,
    window: Window,
    name: str,
) -> tuple[str, Array]:
    """Append a binary convolution; return its value, and (O,) a constant to be added to it.

    Args:
        imports: The import.
        flow: With levels; what is padded around it is kept exactly.
        signs: (O, C, kh, kw) of -1, 0 and +1.
        scale: (O,).
        window: Of the convolution.
        name: For the node.

    Raises:
        CannotConvert: The levels cannot be had with whole numbers.
    """
    unit, centre, outside, live = _in_units(flow)
    varying = flow
    if len(live) < flow.channels:  # the others are the same for every image
        bare = imports.bare(flow.name)
        varying = imports.select(replace(bare, levels=flow.levels), live, f"{name}.live")
    bits, weight, doubled = _expanded(imports, varying, signs[:, live], name)
    weights = signs.astype(np.int64)
    taps = np.einsum("ocyx,c->oyx", weights, centre - outside)
    rest = np.einsum("ocyx,c->o", weights, outside)
    fold = taps * doubled
    if not np.array_equal(fold, np.rint(fold)):
        msg = "its input's two levels are neither opposite nor multiples of their distance"
        raise CannotConvert(
            msg,
            "binarize activations to -1 and +1, or to 0 and 1",
        )
    total = scale * unit
    constants = {"weight": weight, "scale": total / doubled}
    if fold.any():
        constants["fold"] = fold.astype(np.int32)
    value = imports.node("binary_conv", name, (bits,), _all_pads(flow, window), constants)
    return value, rest * total


def _all_pads(flow: Flow, window: Window) -> dict[str, object]:
    """The window's attributes, with what was padded before; zeros and others must not mix."""
    if any(window.padding) and flow.fill is not None and flow.fill.any():
        msg = "pads zeros around a value that was padded with something else"
        raise CannotConvert(
            msg,
            "pad once, with one number",
        )
    pads = tuple(a + b for a, b in zip(window.padding, flow.pads, strict=True))
    return {**window.attributes(), "padding": pads}


def _in_units(flow: Flow) -> tuple[float, Array, Array, Array]:
    """Half the distance of the levels; (C,) their centre and the fill in that unit; who varies."""
    assert flow.levels is not None
    low, high = flow.levels.low, flow.levels.high
    half, centre = (high - low) / 2, (high + low) / 2
    unit = float(np.abs(half).max())
    live = np.flatnonzero(half)
    if not len(live):
        msg = "its input is the same for every image"
        raise CannotConvert(msg, "leave it out")
    if not (np.abs(half[live]) == unit).all():
        msg = "its binary input has another scale in each channel"
        raise CannotConvert(msg, "use one scale for all channels")
    fill = np.zeros_like(low) if flow.fill is None else flow.fill
    return unit, centre / unit, fill / unit, live


def _expanded(imports: Importer, flow: Flow, signs: Array, name: str) -> tuple[str, Array, int]:
    """Bits, weights of -1 and +1 for them, and how often each product is counted."""
    assert flow.levels is not None
    index, direction, weight = np.arange(flow.channels), *_directed(imports, flow, signs, name)
    doubled = 1
    third = direction == 0
    if third.any():
        index, doubled = np.concatenate([index, index]), 2
        weight = np.concatenate([weight, np.where(third[None, :, None, None], -weight, weight)], 1)
        direction = np.concatenate([np.where(third, 1, direction), np.where(third, -1, direction)])
    if not weight.all():
        index, direction, doubled = np.tile(index, 2), np.tile(direction, 2), 2 * doubled
        plus, minus = np.where(weight == 0, 1, weight), np.where(weight == 0, -1, weight)
        weight = np.concatenate([plus, minus], axis=1)
    if weight.size > WEIGHT_LIMIT:
        msg = f"{weight.size:,} binary weights are too many"
        raise CannotConvert(msg, "use fewer channels")
    return _signs(imports, flow, index, direction, name), weight.astype(np.int8), doubled


def _directed(imports: Importer, flow: Flow, signs: Array, name: str) -> tuple[Array, Array]:
    """(C,) +1, -1 where x <= 0 is what is looked at, or 0 for both; and weights with that sign."""
    direction, sign = _directions(imports, flow, name)
    return direction, signs.astype(np.int64) * sign[None, :, None, None]


def _directions(imports: Importer, flow: Flow, name: str) -> tuple[Array, Array]:
    """(C,) as of `_directed`; and what weights are multiplied by."""
    assert flow.levels is not None
    low, mid, high = flow.levels.low, flow.levels.mid, flow.levels.high
    direction = np.where(mid == high, 1, np.where(mid == low, -1, 0))
    odd = direction == 0
    if odd.any():
        may = may_vanish(imports, flow.name) if imports.sign_zero == "auto" else odd
        may = may & (imports.sign_zero != "plus")
        if (odd & ~may).any() and not only_dots(imports, flow.name):
            count = int((odd & ~may).sum())
            imports.notes.append(f"{name}: Sign(0) counts as +1 in {count} channels")
        if (odd & may & (mid != (low + high) / 2)).any():
            msg = "its input has three levels"
            raise CannotConvert(msg, "use two levels")
        direction = np.where(odd & ~may, 1, direction)
        if (direction == 0).any():
            count = int((direction == 0).sum())
            imports.notes.append(f"{name}: Sign(0) = 0 is kept in {count} channels, stored twice")
    # Turned bits say x <= 0, so that their sign is the other one; both levels may be swapped too.
    return direction, np.where(direction == 0, 1, direction) * np.where(high < low, -1, 1)


def _signs(imports: Importer, flow: Flow, index: Array, direction: Array, name: str) -> str:
    source = imports.bare(flow.name)
    if not np.array_equal(index, np.arange(flow.channels)):
        source = imports.select(source, index, f"{name}.channels")
    if (direction < 0).any():
        ones = direction.astype(np.float64)
        source = imports.affine(source, ones, np.zeros_like(ones), f"{name}.negated")
    return imports.node("sign", f"{name}.bits", (source.name,), {"zero_sign": 1})


def binary_depthwise(
    imports: Importer, flow: Flow, signs: Array, scale: Array, window: Window, name: str
) -> str | None:
    """Append a convolution of each channel alone; None where its levels need more than that.

    Args:
        imports: The import.
        flow: With levels.
        signs: (C, 1, kh, kw) of -1, 0 and +1.
        scale: (C,).
        window: Of the convolution.
        name: For the node.
    """
    assert flow.levels is not None
    low, mid, high = flow.levels.low, flow.levels.mid, flow.levels.high
    direction = np.where(mid == high, 1, np.where(mid == low, -1, 0))
    padded = flow.fill is not None and flow.fill.any()
    if padded or (low + high).any() or not (direction.all() and signs.all()):
        return None
    own = np.where(direction < 0, -1, 1) * np.where(high < low, -1, 1)
    bits = _signs(imports, flow, np.arange(flow.channels), direction, name)
    weight = (signs * own[:, None, None, None]).astype(np.int8)
    constants = {"weight": weight, "scale": scale * np.abs(high - low) / 2}
    return imports.node("binary_depthwise", name, (bits,), _all_pads(flow, window), constants)


def binary_groups(
    imports: Importer, flow: Flow, signs: Array, scale: Array, window: Window, name: str
) -> str | None:
    """Append a convolution in groups; None where its levels or weights need more than that.

    Args:
        imports: The import.
        flow: With levels.
        signs: (O, C / groups, kh, kw) of -1, 0 and +1.
        scale: (O,).
        window: Of the convolution.
        name: For the node.
    """
    assert flow.levels is not None
    low, high = flow.levels.low, flow.levels.high
    half = (np.abs(high - low) / 2).reshape(-1, signs.shape[1])  # (groups, C / groups)
    padded = flow.fill is not None and flow.fill.any()
    if padded or (low + high).any() or not (signs.all() and half.all()):
        return None
    if not (half == half[:, :1]).all():
        return None
    noted = len(imports.notes)
    direction, sign = _directions(imports, flow, name)
    if not direction.all():
        del imports.notes[noted:]
        return None
    bits = _signs(imports, flow, np.arange(flow.channels), direction, name)
    groups = len(half)
    own = np.repeat(sign.reshape(groups, -1), len(signs) // groups, axis=0)  # (O, C / groups)
    weight = (signs * own[:, :, None, None]).astype(np.int8)
    constants = {"weight": weight, "scale": scale * np.repeat(half[:, 0], len(signs) // groups)}
    return imports.node("binary_conv", name, (bits,), _all_pads(flow, window), constants)


def floats(imports: Importer, flow: Flow, name: str) -> Flow:
    """Return a value without levels: signs counted by a convolution of each channel alone."""
    if flow.levels is None:
        return flow
    flow.need_bare()
    low, mid, high = flow.levels.low, flow.levels.mid, flow.levels.high
    half, centre = (high - low) / 2, (high + low) / 2
    plain = Flow(flow.name, flow.shape, flow.shape)
    known = np.where(half == 0, 1.0, half)
    middle = np.where(half == 0, 1.0, (mid - centre) / known)
    unit = np.ones(flow.channels)
    signs = plain.with_levels(lambda x: x, type(flow.levels)(-unit, middle, unit))
    ones = np.ones((flow.channels, 1, 1, 1), np.int8)
    value = binary_depthwise(imports, signs, ones, half, Window(), f"{name}.floats")
    if value is None:
        if 4 * flow.channels**2 > WEIGHT_LIMIT:
            msg = "signs of too many channels are read as floats"
            raise CannotConvert(msg, "binarize the weights behind them")
        eye = np.eye(flow.channels, dtype=np.int8)[:, :, None, None]
        value, _ = binary_conv(imports, signs, eye, half, Window(), f"{name}.floats")
    result = imports.affine(imports.bare(value), unit, centre, f"{name}.floats")
    return Flow(result.name, flow.shape, flow.dims, last=flow.last)
