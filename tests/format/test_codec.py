"""Tests that the JSON of a program is read strictly."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from support.program_builder import Builder

from bnas_deploy.errors import FormatError
from bnas_deploy.format.codec import decode, encode


def document() -> dict[str, Any]:
    b = Builder(np.random.default_rng(0), (3, 4, 5))
    b.binary_conv2d(b.binarize("image"), 4, stages=("scale",))
    b.concat("image", b.conv2d("image", 2))
    return json.loads(json.dumps(encode(b.finish())))


def test_round_trip_of_the_document() -> None:
    text = document()
    assert json.loads(json.dumps(encode(decode(text, {})))) == text


DELETE = object()
BINARY, CONV, CONCAT = ("steps", 1), ("steps", 2), ("steps", 3)
FAULTS: list[tuple[tuple[Any, ...], Any, str]] = [
    (("input",), DELETE, "bnas.program: key 'input' is missing"),
    (("extra",), 1, "bnas.program: unknown key 'extra'"),
    (("input",), 3, "input: expected a string, got 3"),
    (("steps",), {}, "steps: expected a list, got an object of 0"),
    (("steps", 0), 7, "step 0: expected an object, got 7"),
    (
        ("steps", 0, "op"),
        "softmax",
        "step 0, field 'op': expected one of add_slice, .*'softmax'",
    ),
    (("steps", 0, "op"), DELETE, "step 0, field 'op': expected one of add_slice, .*None"),
    (("steps", 0, "op"), ["affine"], "step 0, field 'op': .*got a list of 1"),
    (("steps", 0, "flip"), DELETE, r"step 0 \(binarize\): key 'flip' is missing"),
    (("steps", 0, "note"), "x", r"step 0 \(binarize\): unknown key 'note'"),
    (("steps", 0, "flip"), None, r"step 0 \(binarize\), field 'flip': expected a string, got None"),
    ((*BINARY, "fold"), 1, r"step 1 \(binary_conv2d\), field 'fold': expected a string or null"),
    ((*BINARY, "kernel"), [3], "field 'kernel': expected 2 whole numbers, got a list of 1"),
    ((*BINARY, "kernel"), 3, "field 'kernel': expected a list, got 3"),
    ((*BINARY, "kernel"), [3, 3.0], "field 'kernel': expected a whole number, got 3.0"),
    ((*BINARY, "kernel"), [3, True], "field 'kernel': expected a whole number, got True"),
    ((*BINARY, "kernel"), [3, 2**31], "expected a whole number of at most 2147483647"),
    ((*BINARY, "padding"), [1, 1], "field 'padding': expected 4 whole numbers, got a list of 2"),
    ((*BINARY, "stages"), "x", "field 'stages': expected a list, got 'x'"),
    (
        (*BINARY, "stages", 0, "kind"),
        "add",
        "stage 0, field 'kind': expected one of affine, scale",
    ),
    ((*BINARY, "stages", 0, "at"), DELETE, r"stage 0 \(scale\): key 'at' is missing"),
    ((*BINARY, "stages", 0, "at"), "1", r"stage 0 \(scale\), field 'at': expected a whole number"),
    ((*CONV, "bias"), False, r"step 2 \(conv2d\), field 'bias': expected a string or null"),
    ((*CONCAT, "inputs"), ["image", 1], r"step 3 \(concat\), field 'inputs': expected a string"),
    (("values",), [], "values: expected an object, got a list of 0"),
    (("values", "image"), None, "value 'image': expected an object, got None"),
    (("values", "image", "kind"), 1, "value 'image', field 'kind': expected a string"),
    (("values", "image", "shape"), [3, 4], "value 'image', field 'shape': expected 3 whole"),
    (("values", "image", "dtype"), "f32", "value 'image': unknown key 'dtype'"),
    (("preprocessing",), None, "preprocessing: expected an object"),
    (("preprocessing", "resize"), 32.5, "preprocessing, field 'resize': expected a whole number"),
    (("preprocessing", "mean"), [0.5, "x"], "preprocessing, field 'mean': expected a number"),
    (("preprocessing", "std"), [True], "preprocessing, field 'std': expected a number, got True"),
    (("labels",), "abc", "labels: expected a list, got 'abc'"),
    (("labels",), [1], "labels: expected a string, got 1"),
    (("provenance",), [], "provenance: expected an object"),
    (("cost",), None, "cost: expected an object, got None"),
]


@pytest.mark.parametrize(("path", "value", "message"), FAULTS, ids=lambda x: str(x)[:40])
def test_faults(path: tuple[Any, ...], value: Any, message: str) -> None:
    doc = document()
    *parents, last = path
    place: Any = doc
    for key in parents:
        place = place[key]
    if value is DELETE:
        del place[last]
    else:
        place[last] = value
    with pytest.raises(FormatError, match=message):
        decode(doc, {})


def test_long_things_are_cut_in_messages() -> None:
    doc = document()
    doc["input"] = ["x"] * 10_000
    with pytest.raises(FormatError, match=r"got a list of 10000$"):
        decode(doc, {})
    doc["input"] = 10**300
    with pytest.raises(FormatError) as caught:
        decode(doc, {})
    assert len(str(caught.value)) < 200
