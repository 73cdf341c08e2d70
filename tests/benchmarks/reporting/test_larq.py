"""Tests of the table against larq's engine: agreement, best rival, ratios."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from reporting import larq

FACTS = {"engine": {"cpu": {"model": "a processor"}}}


def network(**seconds: list[float]) -> larq.Network:
    times = {name: larq.quartiles(calls) for name, calls in seconds.items()}
    return larq.Network("net", dict.fromkeys(seconds, 0.99), times)


def page(network: larq.Network) -> str:
    return larq.page(larq.Comparison([network], ["packed"], "wall"), FACTS)


def test_agreement_is_that_of_most_pictures_and_takes_probabilities_for_logits() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3, 50))
    e = np.exp(logits)
    probabilities = e / e.sum(1, keepdims=True)
    assert larq.agreement(probabilities, logits + 7) == pytest.approx(1)
    other = logits.copy()
    other[1] = rng.normal(size=50)
    assert larq.agreement(probabilities, other) == pytest.approx(1)
    other[2] = rng.normal(size=50)
    assert abs(larq.agreement(probabilities, other)) < 0.5


def test_ratios_are_of_the_best_rival() -> None:
    n = network(packed=[0.002, 0.001, 0.003], slow=[0.5], fast=[0.01, 0.03, 0.02])
    assert "best of LCE is fast; packed 10.0×" in larq.line(n, ["packed"])
    text = page(n)
    assert "| net | 2.00 ms ± 50% (0.990) | 500.00 ms ± 0% (0.990) |" in text
    assert "| 10.0× |" in text
    assert "a processor" in text


def test_what_answers_otherwise_has_no_time() -> None:
    n = network(packed=[], slow=[0.5], wrong=[])
    assert n.best(["wrong", "slow"]) == "slow"
    text = page(n)
    assert "answers differ (0.990)" in text
    assert "not measured" in text


def test_a_comparison_is_read_as_it_was_written(tmp_path: Path) -> None:
    run = larq.Comparison([network(packed=[0.002], slow=[0.5], wrong=[])], ["packed"], "wall")
    larq.write(run, tmp_path / "larq.json")
    assert larq.read(tmp_path / "larq.json") == run
    (tmp_path / "larq.json").write_text("[1]")
    with pytest.raises(ValueError, match=r"larq\.json is no comparison.*against_larq\.py"):
        larq.read(tmp_path / "larq.json")
