"""Tests of stored results: through a file and back, damaged files, means and spreads."""

from __future__ import annotations

import json

import pytest

from bnas_deploy.errors import DataError
from bnas_deploy.experiments.results import (
    JobResult,
    Results,
    percent,
    read_results,
    spread,
    write_results,
)

JOBS = (
    JobResult("a", 0, "done", seconds=1.5, metrics={"m": 0.5}, history=[{"epoch": 1}]),
    JobResult("a", 1, "done", metrics={"m": 0.75}),
    JobResult("a", 2, "failed", "no\nreason"),
    JobResult("b", 0, "not run"),
)
RESULTS = Results(
    "x",
    "cpu",
    "2020-01-02",
    {"cpu": "c"},
    {"python": "3"},
    {"a": {"n": 1}},
    JOBS,
    {"a": {"ms": 1.0}},
)


def test_round_trip(tmp_path):
    path = tmp_path / "deep" / "x-cpu.json"
    write_results(path, RESULTS)
    assert read_results(path) == RESULTS
    assert json.loads(path.read_text())["budget"] == "cpu"
    assert [p.name for p in path.parent.iterdir()] == ["x-cpu.json"]


def test_without_jobs_and_setups(tmp_path):
    empty = Results("x", "cpu", "2020-01-02", {}, {}, {}, ())
    write_results(tmp_path / "x.json", empty)
    assert read_results(tmp_path / "x.json") == empty


def test_values_are_those_of_finished_jobs():
    assert RESULTS.values("a", "m") == [0.5, 0.75]
    assert RESULTS.values("a", "other") == RESULTS.values("b", "m") == []


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"format": "bnas-deploy/results", "version": 2}']
)
def test_a_file_that_is_none(tmp_path, content):
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(DataError, match=r"x\.json"):
        read_results(tmp_path / "x.json")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], "-"),
        ([0.5], "50.00"),
        ([0.5, 0.75], "62.50 ± 17.68 (2)"),
        ([0.1] * 3, "10.00 ± 0.00 (3)"),
    ],
)
def test_mean_and_spread(values, text):
    assert spread(values, percent) == text
