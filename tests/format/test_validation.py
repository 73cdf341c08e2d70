"""Tests of every rule that a program must satisfy, one fault each, with its message."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.faulty_programs import edited as edit
from support.faulty_programs import with_program
from support.program_builder import Builder

from bnas_deploy.errors import FormatError
from bnas_deploy.format import PackedModel, Value, to_bytes, validate
from bnas_deploy.format.limits import STEP_LIMIT
from bnas_deploy.format.steps import AvgPool2d, MaxPool2d

# Step numbers of `model`.
AFFINE, CONV, BINARIZE, BINARY, MAX, SLICE, CONCAT, SELECT = 0, 1, 2, 4, 5, 6, 7, 8


def model() -> PackedModel:
    """Every step whose rules can be broken; C = 5, 6 x 7 pixels."""
    b = Builder(np.random.default_rng(0), (5, 6, 7))
    x = b.conv2d(b.affine("image"), 5)
    bits = b.binarize(x)
    b.binary_conv2d(bits, 9, stages=("threshold", "scale_add"), fold=True)  # and its addend's step
    b.pool(MaxPool2d, x)
    b.add_slice(x, "image", 0)
    b.concat("image", x)
    b.select_channels(x, [0, -1, 4])
    b.pool(AvgPool2d, x, stride=2)
    return b.finish()


def values(m: PackedModel, **changes: Value) -> PackedModel:
    return with_program(m, values={**m.program.values, **changes})


def tensor(m: PackedModel, step: int, field: str, change: Callable[[Any], Any]) -> PackedModel:
    """The model with another tensor in a field of a step."""
    name = getattr(m.program.steps[step], field)
    return dataclasses.replace(m, tensors={**m.tensors, name: change(m.tensors[name].copy())})


def put(value: Any, at: Any = 0) -> Callable[[Any], Any]:
    def change(array: Any) -> Any:
        array.flat[at] = value
        return array

    return change


def stage(m: PackedModel, index: int, **changes: Any) -> PackedModel:
    stages = list(m.program.steps[BINARY].stages)
    stages[index] = dataclasses.replace(stages[index], **changes)
    return edit(m, BINARY, stages=tuple(stages))


def stage_tensor(m: PackedModel, index: int, field: str, change: Any) -> PackedModel:
    name = getattr(m.program.steps[BINARY].stages[index], field)
    return dataclasses.replace(m, tensors={**m.tensors, name: change(m.tensors[name].copy())})


def preprocessing(m: PackedModel, **changes: Any) -> PackedModel:
    return dataclasses.replace(m, preprocessing=dataclasses.replace(m.preprocessing, **changes))


M = model()
IMAGE = Value("f32", (5, 6, 7))
FAULTS: dict[str, tuple[PackedModel, str]] = {
    "kind": (values(M, image=Value("f64", (5, 6, 7))), "value 'image': kind must be f32 or bits"),
    "extent 0": (values(M, image=Value("f32", (5, 0, 7))), "extents must lie between 1 and 65536"),
    "extent -1": (values(M, image=Value("f32", (-5, 6, 7))), "extents must lie between 1"),
    "extent": (values(M, image=Value("f32", (65537, 1, 1))), "extents must lie between 1"),
    "elements": (values(M, image=Value("f32", (2**15, 2**15, 2))), "more than 2.30 elements"),
    "input missing": (with_program(M, input="img"), "input: 'img' must be a declared value"),
    "input bits": (values(M, image=Value("bits", (5, 6, 7))), "input: 'image' must be a declared"),
    "output missing": (with_program(M, output="nowhere"), "no step reads it|not a declared value"),
    "output shape": (with_program(M, output="v1"), r"output|no step reads it"),
    "labels": (dataclasses.replace(M, labels=("a",)), "labels: expected one per class, 4, got 1"),
    "unassigned": (values(M, ghost=IMAGE), "value 'ghost': no step assigns it"),
    "undeclared": (edit(M, AFFINE, output="ghost"), r"step 0 \(affine\): assigns 'ghost', which"),
    "assigned twice": (edit(M, CONV, output="v1"), r"step 1 .*assigns 'v1', which has a value"),
    "input assigned": (edit(M, AFFINE, output="image"), "assigns 'image', which has a value"),
    "before assigned": (edit(M, AFFINE, input="v2"), r"'input' reads the value 'v2', which no"),
    "reads nothing": (edit(M, AFFINE, input="?"), r"reads the value '\?', which no earlier step"),
    "reads itself": (edit(M, AFFINE, input="v1"), "reads the value 'v1', which no earlier step"),
    "wrong kind": (edit(M, BINARY, input="v2"), "needs a value of kind bits, 'v2' is f32"),
    "wrong kind f32": (edit(M, MAX, input="v3"), "needs a value of kind f32, 'v3' is bits"),
    "wrong shape": (
        values(M, v1=Value("f32", (5, 7, 6))),
        r"assigns 'v1' f32 \[5, 6, 7\], declared as f32 \[5, 7, 6\]",
    ),
    "unused tensor": (
        dataclasses.replace(M, tensors={**M.tensors, "extra": np.zeros(1, np.float32)}),
        "tensor 'extra': no step uses it",
    ),
    "no tensor": (edit(M, AFFINE, scale="nope"), "field 'scale' names the tensor 'nope', which"),
    "dtype": (tensor(M, AFFINE, "scale", lambda t: t.astype(np.float64)), "must have dtype f32"),
    "dtype bits": (tensor(M, BINARIZE, "flip", lambda t: t.astype(np.int64)), "dtype u64, got int"),
    "shape": (tensor(M, AFFINE, "shift", lambda t: t[:-1]), r"must have shape \(5,\), got \(4,\)"),
    "nan": (tensor(M, AFFINE, "scale", put(np.nan)), "'scale': tensor 't0' holds NaN or infinity"),
    "infinity": (tensor(M, CONV, "weight", put(np.inf, 7)), "'weight': .* NaN or infinity"),
    "bias nan": (tensor(M, CONV, "bias", put(np.nan)), "'bias': .* holds NaN or infinity"),
    "threshold nan": (tensor(M, BINARIZE, "threshold", put(np.nan)), "'threshold': .* holds NaN"),
    "flip padding": (tensor(M, BINARIZE, "flip", put(1 << 5)), "bits set beyond the 5 of a row"),
    "weight padding": (
        tensor(M, BINARY, "weight", put(1 << 63)),
        "bits set beyond the 45 of a row",
    ),
    "conv ndim": (tensor(M, CONV, "weight", lambda t: t[0]), r"expected shape \(O, 5, kh, kw\)"),
    "conv channels": (tensor(M, CONV, "weight", lambda t: t[:, :4]), r"expected shape \(O, 5, kh"),
    "conv bias": (tensor(M, CONV, "bias", lambda t: t[:2]), r"'bias': .* must have shape \(5,\)"),
    "conv no output": (
        tensor(M, CONV, "weight", lambda t: t[:0]),
        r"'bias': .* must have shape \(0,\)",
    ),
    "activation": (
        edit(M, CONV, activation="gelu"),
        "'activation' must be none or relu, got 'gelu'",
    ),
    "stride 0": (
        edit(M, CONV, stride=(1, 0)),
        r"'stride' must lie between 1 and 65536, got \[1, 0",
    ),
    "stride": (edit(M, CONV, stride=(1, 65537)), "field 'stride' must lie between 1 and 65536"),
    "dilation 0": (edit(M, BINARY, dilation=(0, 1)), "field 'dilation' must lie between 1"),
    "kernel 0": (edit(M, BINARY, kernel=(3, 0)), "field 'kernel' must lie between 1"),
    "kernel wide": (edit(M, BINARY, kernel=(1, 65536)), "the window does not fit into 6 x 7"),
    "kernel giant": (edit(M, MAX, kernel=(257, 256)), "a window has at most 65536 positions"),
    "padding -1": (edit(M, CONV, padding=(0, 0, -1, 0)), "field 'padding' must lie between 0"),
    "padding": (edit(M, CONV, padding=(65537, 0, 0, 0)), "field 'padding' must lie between 0"),
    "no window": (
        edit(M, CONV, padding=(0, 0, 0, 0), dilation=(4, 1)),
        "does not fit into 6 x 7",
    ),
    "output size": (
        edit(M, CONV, padding=(2, 2, 2, 2)),
        r"assigns 'v2' f32 \[5, 8, 9\], declared",
    ),
    "binary no output": (
        tensor(M, BINARY, "weight", lambda t: t[:0]),
        r"expected shape \(O, words\), got \(0, 1\)",
    ),
    "binary ndim": (tensor(M, BINARY, "weight", lambda t: t[0]), r"expected shape \(O, words\)"),
    "binary words": (
        tensor(M, BINARY, "weight", lambda t: np.repeat(t, 2, axis=1)),
        r"'weight': .* must have shape \(9, 1\), got \(9, 2\)",
    ),
    "fold shape": (tensor(M, BINARY, "fold", lambda t: t[:, :2]), r"must have shape \(9, 3, 3\)"),
    "fold dtype": (tensor(M, BINARY, "fold", lambda t: t.astype("f4")), "must have dtype i32"),
    "dot bound": (
        tensor(M, BINARY, "fold", lambda t: t * 0 + 2**24 // 9),
        r"dot product can reach 16777\d+, and must stay below 16777216",
    ),
    "dot bound of the least integer": (
        tensor(M, BINARY, "fold", put(-(2**31))),
        r"dot product can reach 2147483\d+, and must stay below",
    ),
    "no stages": (edit(M, BINARY, stages=()), "field 'stages' must hold at least one stage"),
    "stage threshold": (stage_tensor(M, 0, "threshold", lambda t: t[1:]), r"shape \(9,\), got"),
    "stage flip": (stage_tensor(M, 0, "flip", put(1 << 9)), "bits set beyond the 9 of a row"),
    "stage scale": (stage_tensor(M, 1, "scale", put(-np.inf)), "'stages.scale': .* infinity"),
    "stage activation": (stage(M, 1, activation=""), "'activation' must be none or relu, got ''"),
    "stage at": (stage(M, 1, at=50), "field 'at': 9 channels at 50 do not lie within"),
    "stage at -1": (stage(M, 1, at=-1), "field 'at': 9 channels at -1 do not lie within"),
    "stage at alone": (stage(M, 1, addend=None, at=1), "'at' must be 0 without an addend, got 1"),
    "addend kind": (stage(M, 1, addend="v3"), "field 'addend' needs a value of kind f32"),
    "addend unassigned": (stage(M, 1, addend="v9"), "field 'addend' reads the value 'v9'"),
    "addend pixels": (stage(M, 1, addend="v2", at=0), "9 channels at 0 do not lie within 5"),
    "pool padding": (
        edit(M, MAX, padding=(1, 1, 3, 1)),
        r"padding \[1, 1, 3, 1\] must be less than",
    ),
    "slice at": (edit(M, SLICE, at=1), "field 'at': 5 channels at 1 do not lie within 5"),
    "concat one": (edit(M, CONCAT, inputs=("image",)), "must name two values or more, got 1"),
    "concat none": (edit(M, CONCAT, inputs=()), "must name two values or more, got 0"),
    "select least": (tensor(M, SELECT, "index", put(-2)), "entries must lie between -1 and 4"),
    "select most": (tensor(M, SELECT, "index", put(5)), "entries must lie between -1 and 4"),
    "select ndim": (tensor(M, SELECT, "index", lambda t: t[None]), "expected one dimension, got 2"),
    "linear": (tensor(M, -1, "weight", lambda t: t[:, 1:]), r"'weight': expected shape \(4, |O, "),
    "linear bias": (tensor(M, -1, "bias", put(np.inf)), "'bias': .* holds NaN or infinity"),
    "crop": (preprocessing(M, crop=(6, 6)), r"crop \[6, 6\] must be the input's height and width"),
    "resize": (preprocessing(M, resize=6), "resize must lie between the crop's 7 and 65536, got 6"),
    "resize giant": (preprocessing(M, resize=2**20), "resize must lie between"),
    "mean count": (preprocessing(M, mean=(0.5,)), "mean and std need 5 numbers each, got 1 and 5"),
    "mean nan": (preprocessing(M, mean=(np.nan,) * 5), "mean must be finite"),
    "mean": (preprocessing(M, mean=(1e39,) * 5), "mean must be finite"),
    "std 0": (preprocessing(M, std=(0.0,) * 5), "std must be positive and finite in float32"),
    "std tiny": (preprocessing(M, std=(1e-60,) * 5), "std must be positive"),
    "std negative": (preprocessing(M, std=(-1.0,) * 5), "std must be positive"),
    "std infinite": (preprocessing(M, std=(np.inf,) * 5), "std must be positive"),
}


def test_the_model_itself_is_valid() -> None:
    validate(M)
    assert [s.OP for s in M.program.steps[:9]] == [
        "affine", "conv2d", "binarize", "binary_conv2d", "binary_conv2d", "max_pool2d",
        "add_slice", "concat", "select_channels",
    ]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(fault: str) -> None:
    m, message = FAULTS[fault]
    with pytest.raises(FormatError, match=message):
        validate(m)
    with pytest.raises(FormatError):
        to_bytes(m)


def test_too_many_steps() -> None:
    m = with_program(M, steps=M.program.steps[:1] * (STEP_LIMIT + 1))
    with pytest.raises(FormatError, match="steps: at most 65536 are allowed, got 65537"):
        validate(m)


def test_unread_value() -> None:
    b = Builder(np.random.default_rng(0), (2, 3, 3))
    logits = b.linear(b.global_avg_pool("image"), 2)
    name = b.relu("image")
    with pytest.raises(FormatError, match=f"value '{name}': no step reads it, and it is not the"):
        validate(b.model(logits))


def test_output_must_be_logits() -> None:
    b = Builder(np.random.default_rng(0), (2, 3, 3))
    with pytest.raises(FormatError, match=r"output: 'v1' must be f32 \(classes, 1, 1\), is f32"):
        validate(b.model(b.relu("image")))


def test_concat_of_different_pixels() -> None:
    b = Builder(np.random.default_rng(0), (2, 3, 3))
    pooled = b.global_avg_pool("image")
    out = b.value("f32", (4, 3, 3))
    from bnas_deploy.format.steps import Concat

    b.steps.append(Concat(("image", pooled), out))
    with pytest.raises(FormatError, match=r"must have the same pixels, got \[\(3, 3\), \(1, 1\)\]"):
        validate(b.finish())


def test_addend_of_other_pixels() -> None:
    b = Builder(np.random.default_rng(0), (2, 3, 3))
    b.add_slice("image", b.global_avg_pool("image"), 0)
    with pytest.raises(FormatError, match=r"cannot add \[1, 1\] pixels to \[3, 3\]"):
        validate(b.finish())


def test_a_stage_may_not_add_onto_another_stage_of_its_step() -> None:
    b = Builder(np.random.default_rng(0), (2, 3, 3))
    first, second = b.binary_conv2d(b.binarize("image"), 2, stages=("scale", "scale"))
    m = b.finish()
    step = m.program.steps[1]
    stages = (step.stages[0], dataclasses.replace(step.stages[1], addend=first))
    with pytest.raises(FormatError, match=f"reads the value '{first}', which no earlier step"):
        validate(edit(m, 1, stages=stages))
    assert second in m.program.values


def test_one_tensor_may_serve_two_steps() -> None:
    b = Builder(np.random.default_rng(0), (2, 3, 3))
    b.affine(b.affine("image"))
    m = b.finish()
    m = edit(m, 1, scale=m.program.steps[0].scale)
    del m.tensors["t2"]
    validate(m)


def test_dot_products_just_within_the_bound() -> None:
    b = Builder(np.random.default_rng(0), (1, 1, 1))
    b.binary_conv2d(b.binarize("image"), 1, kernel=1, padding=0, fold=True)
    m = b.finish()
    fold = m.program.steps[1].fold
    m.tensors[fold][...] = -(2**24 - 2)
    validate(m)
    m.tensors[fold][...] = 2**24 - 1
    with pytest.raises(FormatError, match="can reach 16777216, and must stay below 16777216"):
        validate(m)


def test_infinite_thresholds_are_allowed() -> None:
    validate(tensor(M, BINARIZE, "threshold", put([np.inf, -np.inf], [0, 1])))
