"""The layer shapes that are benchmarked are those of the networks."""

from __future__ import annotations

import json

import make_shapes


def test_shapes_are_those_of_the_networks() -> None:
    committed = json.loads(make_shapes.FILE.read_text(encoding="utf-8"))
    assert committed == make_shapes.shapes(), "run benchmarks/make_shapes.py"
