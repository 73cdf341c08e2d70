"""Full-precision layers of a packed program in 8 bits, whichever front end it came from.

This file decides which layers are put into 8 bits; `layer` computes the numbers of one layer, and
`calibration` measures its inputs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.converters.eight_bit.calibration import Seen, natural_noise, watch_inputs
from bnas_deploy.converters.eight_bit.facts import (
    KINDS,
    EightBit,
    EightBitLayer,
    FloatLayer,
    check_kinds,
)
from bnas_deploy.converters.eight_bit.layer import OverflowingSums, choose_steps, quantize_weights
from bnas_deploy.converters.eight_bit.ranges import stated_ranges
from bnas_deploy.cost import cost_summary
from bnas_deploy.cost.float_layers import float_layers
from bnas_deploy.errors import ConversionError
from bnas_deploy.format import PackedModel, Program, validate
from bnas_deploy.format.steps import Conv2d, Linear, QuantizedConv2d, Step

__all__ = ["MADE_UP", "quantize"]

MADE_UP = 128
"""Number of pictures that are made up where none are given."""

NOT_ASKED = "not asked for"
# Measured on BNAS-Mini (CIFAR-10): 2.2 points of accuracy lost with synthetic images, 0.03 with
# 500 given ones. Its input is evidence for classes, and noise shows none.
NEEDS_PICTURES = "its range shows on real pictures only, and none were given to calibrate with"

NEEDS_INPUTS = (
    "its range shows on real inputs only, none were given to calibrate with, and the model does not"
    " say how pictures become inputs"
)

Floats = npt.NDArray[np.float32]
Array = npt.NDArray[Any]
Layer = Conv2d | Linear


@dataclass(frozen=True)
class _Candidate:
    """A full-precision layer: its place in the program, the step, one of `KINDS`, its name."""

    index: int
    step: Layer
    kind: str
    name: str


def quantize(
    model: PackedModel,
    which: Collection[str] = ("shortcut",),
    *,
    images: Floats | None = None,
    backend: str | None = None,
    threads: int = 1,
    keep: Mapping[str, str] | None = None,
    synthetic: bool = True,
    clips: Collection[str] = (),
) -> tuple[PackedModel, EightBit]:
    """Put full-precision layers of a program into 8 bits.

    Args:
        model: Any valid program; it is not changed. Its cost figures are counted anew.
        which: Kinds of layers, of `eight_bit.KINDS`.
        images: (N, C, H, W), preprocessed, to measure the ranges of activations on; some hundred
            pictures of the kind that the network will see. None makes noise with the spectrum of
            photographs, which is stated in the result and leaves a classifier in float.
        backend: Of the program that is measured; None for the best.
        threads: Of that.
        keep: Layers that stay in float in any case, with the reason.
        synthetic: Whether made-up pictures are like what the network will see. They are not where
            the model's preprocessing is a guess: without `images` every layer stays in float then,
            which is stated in the result.
        clips: Operations that clip a value to what the model's own 8 bits can say. Without `images`
            that is the range of layers that read such a value.

    Returns:
        The validated model, and what was done.

    Raises:
        UsageError: A kind is unknown.
        ConversionError: There are no images.
        BackendError: The backend is not available.
    """
    kinds = check_kinds(which)
    unseen = {}
    if images is None:
        unseen = {"classifier": NEEDS_PICTURES} if synthetic else dict.fromkeys(KINDS, NEEDS_INPUTS)
    inputs = [c.step.input for c in _candidates(model.program)]
    seen = stated_ranges(model, inputs if images is None else (), clips)
    chosen, kept = _sort(model.program, kinds, keep or {}, unseen, seen)
    if not chosen:
        return model, EightBit(kinds, (), kept, None, 0)
    names, source, count = sorted({c.step.input for c in chosen} - seen.keys()), None, 0
    if names:
        source = "synthetic" if images is None else "given"
        images = natural_noise(MADE_UP, model.preprocessing) if images is None else images
        count = len(images)
        seen |= _watched(model, images, names, backend, threads)
    result, layers, failed = _replace_steps(model, chosen, seen)
    validate(result)
    return result, EightBit(kinds, layers, (*failed, *kept), source, count)


def _watched(
    model: PackedModel, images: Floats, names: list[str], backend: str | None, threads: int
) -> dict[str, Seen]:
    if not len(images):
        msg = "calibration needs at least one image; leave it out to use synthetic ones"
        raise ConversionError(msg)
    return watch_inputs(model, images, names, backend=backend, threads=threads)


def _sort(
    program: Program,
    kinds: Collection[str],
    keep: Mapping[str, str],
    unseen: Mapping[str, str],
    stated: Collection[str],
) -> tuple[list[_Candidate], tuple[FloatLayer, ...]]:
    """The layers to put into 8 bits, and those not to, with the reason.

    `unseen` has it for the kinds whose inputs no image shows, but for `stated` inputs.
    """
    chosen, kept = [], []
    for c in _candidates(program):
        if c.name in keep:
            kept.append(FloatLayer(c.name, c.kind, keep[c.name]))
        elif c.kind not in kinds:
            kept.append(FloatLayer(c.name, c.kind, NOT_ASKED))
        elif c.kind in unseen and c.step.input not in stated:
            kept.append(FloatLayer(c.name, c.kind, unseen[c.kind]))
        else:
            chosen.append(c)
    return chosen, tuple(kept)


def _candidates(program: Program) -> Iterator[_Candidate]:
    """The layers in full precision that 8 bits can take, in order."""
    for index, kind in float_layers(program).items():
        step = program.steps[index]
        assert isinstance(step, Layer)
        yield _Candidate(index, step, kind, _name(step))


def _name(step: Layer) -> str:
    return step.weight.removesuffix(".weight")


def _replace_steps(
    model: PackedModel, chosen: list[_Candidate], seen: Mapping[str, Seen]
) -> tuple[PackedModel, tuple[EightBitLayer, ...], tuple[FloatLayer, ...]]:
    steps, tensors = list(model.program.steps), dict(model.tensors)
    done, failed = [], []
    for c in chosen:
        made = _tensors_of(c.step, model, seen[c.step.input])
        if isinstance(made, str):
            failed.append(FloatLayer(c.name, c.kind, made))
            continue
        names = {field: _new_name(f"{c.name}.{field}_8bit", tensors) for field in made}
        tensors |= {names[field]: array for field, array in made.items()}
        steps[c.index] = _step(c.step, names)
        before = sum(model.tensors[name].nbytes for name in c.step.tensors())
        done.append(EightBitLayer(c.name, c.kind, before, sum(t.nbytes for t in made.values())))
    used = {name for step in steps for name in step.tensors()}
    tensors = {name: array for name, array in tensors.items() if name in used}
    program = replace(model.program, steps=tuple(steps))
    cost = {**model.cost, **cost_summary(program, tensors)}
    return replace(model, program=program, tensors=tensors, cost=cost), tuple(done), tuple(failed)


def _new_name(name: str, taken: Mapping[str, Array]) -> str:
    while name in taken:
        name += "_"
    return name


def _tensors_of(step: Layer, model: PackedModel, seen: Seen) -> dict[str, Array] | str:
    """The tensors of the layer in 8 bits by field, or why it must stay as it is."""
    if not (np.isfinite(seen.low).all() and np.isfinite(seen.high).all()):
        return "its input is not finite on the calibration images"
    weight = np.asarray(model.tensors[step.weight], np.float32)
    if isinstance(step, Linear):
        # All of the input is one window.
        weight = weight.reshape(len(weight), *model.program.values[step.input].shape)
    bias = None if step.bias is None else np.asarray(model.tensors[step.bias], np.float32)
    try:
        steps = choose_steps(seen.samples, seen.low, seen.high)
        return quantize_weights(weight, bias, steps)
    except OverflowingSums:
        return "its integer sums could exceed 32 bits"


def _step(step: Layer, names: Mapping[str, str]) -> Step:
    if isinstance(step, Conv2d):
        return QuantizedConv2d(
            step.input, step.output, **names, stride=step.stride, padding=step.padding,
            dilation=step.dilation, activation=step.activation,
        )  # fmt: skip
    return QuantizedConv2d(
        step.input, step.output, **names, stride=(1, 1), padding=(0, 0, 0, 0), dilation=(1, 1),
        activation="none",
    )  # fmt: skip
