"""Prepares binary convolutions in groups for the Numba kernels, group by group.

Shapes: C/groups channels and O/groups outputs a group, G = ceil(C / groups / 8) byte planes of a
group, S bytes between planes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bnas_deploy.bits import pack_rows, unpack_rows
from bnas_deploy.engine.numba.jit import compiled
from bnas_deploy.engine.numba.kernels import binary as binary_kernels
from bnas_deploy.engine.numba.kernels.gather import gather
from bnas_deploy.engine.numba.plan import PREPARE, Array, Prepared, Workspace, padded
from bnas_deploy.engine.numba.steps.binary import Convolution, convolution, dot_stage
from bnas_deploy.engine.numba.steps.repack import pixels, words
from bnas_deploy.format import steps as op
from bnas_deploy.format.program import PackedModel, Value


@dataclass(frozen=True)
class _Group:
    """What the dot products of one group need: tiled weights, and where its outputs begin."""

    weight: Array
    base: Array
    pattern: Array
    stride: int


@PREPARE.of(op.BinaryGroupedConv2d)
def _binary_grouped_conv2d(s: op.BinaryGroupedConv2d, model: PackedModel) -> Prepared:
    """The function that runs a binary convolution in groups."""
    c = model.program.values[s.input].shape[0] // s.groups
    o = len(model.tensors[s.weight]) // s.groups
    size, out = pixels(model, s.input), pixels(model, s.stages[0].output)
    groups = [_group(convolution(part, made)) for part, made in _alone(s, model, c)]
    window = (size, out, s.kernel, s.stride, s.padding, s.dilation, False)
    outside = np.zeros(-(-c // 8), np.uint8)
    stages = [dot_stage(stage, model) for stage in s.stages]
    stride = groups[0].stride
    shape = groups[0].weight.shape[1], stride
    rows = groups[0].base.shape[1]

    def run(ws: Workspace) -> None:
        own = ws.scratch("group", (len(outside), padded(size[0] * size[1], 64)), "u1")
        planes = ws.scratch("bytes", shape, "u1")
        dot = ws.scratch("dots", (o * s.groups, stride), "i4")
        part = ws.scratch("group dots", (rows, stride), "i4")
        for g, group in enumerate(groups):
            take_channels(ws[s.input], g * c, c, own)
            gather(own, *window, outside, planes)
            binary_kernels.dots(planes, group.weight, group.base, group.pattern, part)
            dot[g * o : (g + 1) * o] = part[:o]
        for stage in stages:
            stage(dot, ws)

    return run


def _group(conv: Convolution) -> _Group:
    rows = binary_kernels.ROWS
    return _Group(conv.tiles(rows), conv.table(conv.base, rows, "i4"), conv.pattern, conv.stride)


def _alone(
    s: op.BinaryGroupedConv2d, model: PackedModel, c: int
) -> list[tuple[op.BinaryConv2d, PackedModel]]:
    """Each group as a convolution of its own, in a model that has just its tensors."""
    bits = unpack_rows(words(model, s.weight), s.kernel[0] * s.kernel[1] * c)
    _, h, w = model.program.values[s.input].shape
    values = {**model.program.values, "group": Value("bits", (c, h, w))}
    program = replace(model.program, values=values)
    fold = None if s.fold is None else model.tensors[s.fold]
    found = []
    for g, rows in enumerate(np.split(bits, s.groups)):
        tensors: dict[str, Array] = {"weight": pack_rows(rows)}
        if fold is not None:
            tensors["fold"] = np.split(fold, s.groups)[g]
        part = op.BinaryConv2d(
            "group", "weight", None if fold is None else "fold",
            s.kernel, s.stride, s.padding, s.dilation, s.stages,
        )  # fmt: skip
        found.append((part, replace(model, program=program, tensors=tensors)))
    return found


@compiled
def take_channels(x: Array, first: int, count: int, y: Array) -> None:
    """Byte planes y of channels first .. first + count - 1 of byte planes x; equal row lengths."""
    for g in range(y.shape[0]):
        at = first + 8 * g
        have = min(8, first + count - at)
        mask = np.uint8((1 << have) - 1)
        plane, shift = x[at >> 3], np.uint8(at & 7)
        both = shift + have > 8
        after = x[(at >> 3) + 1] if both else plane
        for p in range(y.shape[1]):
            bits = plane[p] >> shift
            if both:
                bits = bits | np.uint8(after[p] << np.uint8(8 - shift))
            y[g, p] = bits & mask
