"""Tests that what an activation says of itself is true of its function."""

from __future__ import annotations

import numpy as np
import pytest

from bnas_deploy.converters.graph.activations import ACTIVATIONS
from bnas_deploy.converters.graph.evaluate import evaluate_node
from bnas_deploy.converters.graph.nodes import Node
from bnas_deploy.converters.graph.ops import OPS

CHANNELS = 6
GRID = np.linspace(-30, 30, 6001, dtype=np.float32)


def constants_of(op: str, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    activation = ACTIVATIONS[op]
    found = {name: rng.normal(size=CHANNELS).astype("f4") for name in activation.constants}
    found |= {name: rng.normal(size=n).astype("f4") for name, n in activation.shared.items()}
    if op == "clip":
        found["low"], found["high"] = np.sort([found["low"], found["high"]], axis=0)
        found["low"][0], found["high"][1] = -np.inf, np.inf
    if op == "prelu":
        found["slope"][::2] = 0
        found["slope"] = np.abs(found["slope"]) if seed % 2 else found["slope"]
    return found


def results(op: str, constants: dict[str, np.ndarray]) -> np.ndarray:
    """(C, points)."""
    x = np.broadcast_to(GRID, (1, CHANNELS, 1, len(GRID)))
    (y,) = evaluate_node(Node(op, "a", ("x",), ("y",), {}, constants), [x])
    assert y.dtype == np.float32
    return y[0, :, 0]


CASES = [(op, seed) for op in ACTIVATIONS for seed in range(6)]
EXACT = [(op, seed) for op, seed in CASES if ACTIVATIONS[op].flats is not None]


@pytest.mark.parametrize(("op", "seed"), CASES)
def test_what_rises_never_falls(op: str, seed: int) -> None:
    constants = constants_of(op, seed)
    falls = (np.diff(results(op, constants)) < 0).any()
    assert not (ACTIVATIONS[op].rises(**constants) and falls)


@pytest.mark.parametrize(("op", "seed"), EXACT)
def test_all_numbers_that_intervals_become_are_listed(op: str, seed: int) -> None:
    activation = ACTIVATIONS[op]
    assert activation.flats is not None
    constants = constants_of(op, seed)
    flats = [np.broadcast_to(flat, CHANNELS) for flat in activation.flats(**constants)]
    for c, row in enumerate(results(op, constants)):
        known = {float(flat[c]) for flat in flats}
        assert set(row[1:][np.diff(row) == 0].tolist()) <= known


@pytest.mark.parametrize("op", ACTIVATIONS)
def test_the_operation_has_the_constants(op: str) -> None:
    assert OPS[op].constants == ACTIVATIONS[op].names
