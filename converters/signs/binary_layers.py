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
from bnas_deploy.converters.signs.bits import directions, sign_bits
from bnas_deploy.converters.signs.flow import Flow, Pads
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.limits import WEIGHT_LIMIT
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["Window", "binary_conv", "binary_depthwise", "binary_groups", "floats"]


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
    bits, weight, doubled, notes = _expanded(imports, varying, signs[:, live], name)
    weights = signs.astype(np.int64)
    taps = np.einsum("ocyx,c->oyx", weights, centre - outside)
    rest = np.einsum("ocyx,c->o", weights, outside)
    fold, total, attributes = taps * doubled, scale * unit, _all_pads(flow, window)
    constants = {"weight": weight, "scale": total / doubled}
    whole = np.abs(fold - np.rint(fold)).max() < WHOLE
    if whole and np.rint(fold).any():
        constants["fold"] = np.rint(fold).astype(np.int32)
    value = imports.node("binary_conv", name, (bits,), attributes, constants)
    for note in notes:
        imports.note(note, value)
    if not whole and not any(window.padding) and not any(flow.pads):
        rest = rest + taps.sum(axis=(1, 2))
    elif not whole:
        inside = _of_centre(imports, flow, signs, centre - outside, total, attributes, name)
        value = imports.node("add", f"{name}.levels", (value, inside))
    return value, rest * total


WHOLE = 1e-9
"""How far numbers may be from whole ones that were computed as float64."""


def _of_centre(
    imports: Importer,
    flow: Flow,
    signs: Array,
    centre: Array,
    total: Array,
    attributes: dict[str, object],
    name: str,
) -> str:
    """What a convolution makes of the middle of two levels inside the image, and 0 around it.

    One channel of +1, with weights +1 and a constant for each tap, is any whole number a tap.

    Raises:
        CannotConvert: The middle differs from channel to channel.
    """
    if not (centre == centre[0]).all():
        msg = "its input's two levels have another middle in each channel, and it pads"
        raise CannotConvert(msg, "use the same two levels for all channels")
    shape = (1, *flow.shape[1:])
    zero = imports.node("zero", f"{name}.middle", (), {"shape": shape})
    bits = imports.node("sign", f"{name}.middle.bits", (zero,), {"zero_sign": 1})
    weight = np.ones((len(signs), 1, *signs.shape[2:]), np.int8)
    fold = signs.astype(np.int32).sum(axis=1) - 1
    constants = {"weight": weight, "scale": total * centre[0], "fold": fold}
    return imports.node("binary_conv", f"{name}.middle.taps", (bits,), attributes, constants)


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


def _expanded(
    imports: Importer, flow: Flow, signs: Array, name: str
) -> tuple[str, Array, int, list[str]]:
    """Bits, weights of -1 and +1 for them, how often each product is counted, and notes."""
    assert flow.levels is not None
    direction, sign, notes = directions(imports, flow, name)
    weight = signs.astype(np.int64) * sign[None, :, None, None]
    index, doubled = np.arange(flow.channels), 1
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
    bits = sign_bits(imports, flow, index, direction, name)
    return bits, weight.astype(np.int8), doubled, notes


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
    bits = sign_bits(imports, flow, np.arange(flow.channels), direction, name)
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
    direction, sign, notes = directions(imports, flow, name)
    if not direction.all():
        return None
    bits = sign_bits(imports, flow, np.arange(flow.channels), direction, name)
    groups = len(half)
    own = np.repeat(sign.reshape(groups, -1), len(signs) // groups, axis=0)  # (O, C / groups)
    weight = (signs * own[:, :, None, None]).astype(np.int8)
    constants = {"weight": weight, "scale": scale * np.repeat(half[:, 0], len(signs) // groups)}
    value = imports.node("binary_conv", name, (bits,), _all_pads(flow, window), constants)
    for note in notes:
        imports.note(note, value)
    return value


def floats(imports: Importer, flow: Flow, name: str) -> Flow:
    """Return a value without levels: the numbers that its signs stand for."""
    if flow.levels is None:
        return flow
    flow.need_bare()
    low, mid, high = flow.levels.all
    half, centre = (high - low) / 2, (high + low) / 2
    direction, sign, notes = directions(imports, flow, name, any_third=True)
    third = direction == 0
    bare, index = imports.bare(flow.name), np.arange(flow.channels)
    parts = [(np.where(third, 1, direction), np.where(third, (mid - low) / 2, abs(half) * sign))]
    if third.any():  # of two signs one is +1 at zero, and the other -1
        parts.append((np.where(third, -1, direction), np.where(third, (mid - high) / 2, 0)))
    zeros = np.zeros(flow.channels)
    values = []
    for place, (look, factor) in enumerate(parts):
        shift = centre if place == 0 else zeros
        bits = sign_bits(imports, bare, index, look, name)
        signed = imports.bare(imports.node("bits_to_float", f"{name}.signs", (bits,)))
        values.append(imports.affine(signed, factor, shift, f"{name}.floats").name)
    value = values[0] if len(values) == 1 else imports.node("add", f"{name}.floats", values)
    for note in notes:
        imports.note(note, value)
    imports.sums.setdefault(value, imports.sum_of(flow))
    return Flow(value, flow.shape, flow.dims, order=flow.order)
