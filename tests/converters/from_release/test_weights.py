from __future__ import annotations

import pytest
import torch
from support.release_checkpoints import ZEROISE, release

from bnas_deploy.converters.from_release.weights import checked_weights, find_weights
from bnas_deploy.errors import CheckpointError
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.genotype import LATEST_CELL_ZEROISE

CONFIG = NetworkConfig("test", 4, 4, LATEST_CELL_ZEROISE, classes=3)
LARGE = 1 << 40


def values():
    torch.manual_seed(0)
    return release(4, 4, ZEROISE, 3, imagenet=False)


def prefixed(entries):
    return {f"module.{name}": value for name, value in entries.items()}


def read(value, held=LARGE):
    return checked_weights("w.pt", find_weights("w.pt", value), CONFIG, held=held)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda v: v,
        prefixed,
        lambda v: prefixed(prefixed(v)),
        lambda v: {"state_dict": v},
        lambda v: {"model": prefixed(v), "epoch": 3},
        lambda v: {"state_dict": {f"model._orig_mod.{name}": x for name, x in v.items()}},
        lambda v: {"n_averaged": torch.tensor(3), **prefixed(v)},
        lambda v: {"model_state_dict": v, "optimizer": {"state": {}, "param_groups": []}},
    ],
)
def test_every_wrapping_gives_the_same_weights(wrap):
    weights, _ = read(wrap(values()))
    expected = {n: v for n, v in values().items() if not n.endswith("num_batches_tracked")}
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[name], expected[name]) for name in expected)


def test_harmless_strays_are_named():
    entries = {
        **values(),
        "cells.0.total_ops": torch.zeros(1),
        "auxiliary_head.classifier.bias": NAN,
    }
    assert {entry.name for entry in read(entries)[1]} == {
        "cells.0.total_ops",
        "auxiliary_head.classifier.bias",
    }


def test_other_floats_are_converted_and_counters_not_needed():
    entries = {n: v.half() for n, v in values().items() if v.dtype == torch.float32}
    weights, ignored = read(entries)
    assert {w.dtype for w in weights.values()} == {torch.float32}
    assert ignored == ()


def replaced(name, value):
    return lambda v: v.update({name: value})


def missing(name):
    return lambda v: v.pop(name)


NAN = torch.tensor([1.0, float("nan"), 2.0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (missing("cells.1.preprocess1.bn.bias"), "missing cells.1.preprocess1.bn.bias; not part"),
        (replaced("cells.1.alphas", NAN), "without a meaning here: cells.1.alphas"),
        (replaced("classifier.bias", torch.ones(4)), r"expected shape \[3\]; got \[4\]"),
        (replaced("classifier.bias", NAN), "classifier.bias: 1 of 3 numbers are NaN or infinite"),
        (
            replaced("stem.bn.running_var", -torch.ones(3)),
            r"stem.bn.running_var: a variance is neg",
        ),
        (replaced("stem.bn.bias", torch.ones(3, dtype=torch.int64)), "dense tensor of floats"),
        (replaced("stem.bn.bias", torch.ones(3).to_sparse()), "dense tensor of floats"),
        (replaced("stem.bn.bias", 3.0), "expected a tensor; got float"),
        (replaced("classifier.bias", torch.full((3,), 1e300, dtype=torch.float64)), "in float32"),
    ],
)
def test_bad_entries_are_refused(change, message):
    entries = values()
    change(entries)
    with pytest.raises(CheckpointError, match=f"w.pt: .*{message}"):
        read(entries)


def test_tensors_larger_than_the_file_are_refused_before_they_are_copied():
    with pytest.raises(
        CheckpointError, match=r"its tensors claim .* bytes; the whole file has 1,000"
    ):
        read(values(), held=1000)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1], "expected weights of the authors' release .*; the file holds a list"),
        (
            {},
            "no weights of the authors' release .*; it holds nothing; for .* --weights",
        ),
        ({"a": 1, "b": 2, "c": 3, "d": 4}, r".*holds a, b, c, … \(4 in all\)"),
        ({"classifier.weight": torch.ones(1)}, ".*it holds classifier.weight"),
        (
            {"model": values(), "ema": values()},
            r"several entries .*: model \(90 tensors\), ema \(90",
        ),
        ({("a", 1): 2}, r".*holds \('a', 1\)"),
    ],
)
def test_what_holds_no_weights(value, message):
    with pytest.raises(CheckpointError, match=f"w.pt: {message}"):
        find_weights("w.pt", value)
