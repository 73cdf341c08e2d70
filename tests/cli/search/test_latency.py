"""Tests of bnas-search with a latency table: what it writes, what it refuses, going on."""

from __future__ import annotations

import csv
import json

import pytest
from support.made_up_latency import small_network, small_table

from bnas_deploy.latency.table import write_table
from bnas_deploy.networks.files import write_config


@pytest.fixture
def timed(search, tmp_path):
    """Calls bnas-search with a made-up table, by which the small network takes some 0.03 ms."""
    write_table(tmp_path / "table.json", small_table())
    write_config(tmp_path / "network.json", small_network())

    def run(*options, **keywords):
        files = ("--latency", tmp_path / "table.json", "--network", tmp_path / "network.json")
        return search(*map(str, files), *options, **keywords)

    return run


def test_cells_within_a_target_and_how_they_came_about(timed, tmp_path):
    status, out, err = timed("--target-ms", "0.02", "--json")
    assert status == 0, err
    summary = json.loads(out)
    assert {c["predicted_ms"] <= 0.02 for c in summary["cells"].values()} == {True}
    assert all("measured_ms" not in c for c in summary["cells"].values())  # another machine
    assert summary["latency"]["target_ms"] == 0.02
    assert summary["latency"]["machine"]["cpu"] == "made up"
    rows = list(csv.DictReader((tmp_path / "run" / "metrics.csv").read_text().splitlines()))
    assert all(float(row["ms_gamma_1"]) <= 0.02 for row in rows)
    assert "weight of the time" in err


def test_a_search_goes_on_with_its_table(timed, search, tmp_path):
    status, out, err = timed("--latency-weight", "0.5", "--epochs", "1")
    assert status == 0, err
    assert "ms predicted, not measured: the table is of another machine or other kernels):" in out
    (tmp_path / "table.json").unlink()
    status, out, err = search("--resume", "--gamma", "2", resume=True)
    assert status == 0, err
    assert "gamma 2 (" in out


def test_a_target_that_is_out_of_reach_ends_it_before_it_begins(timed, tmp_path):
    status, _, err = timed("--target-ms", "1e-6")
    assert status == 2
    assert "the least possible is about 0.0" in err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target-ms", "1", "--separable"], "lacks the primitives bin_sep_conv_3x3"),
        (["--target-ms", "1", "--network", "Mini"], "images of so many pixels, 32 (it has 8)"),
    ],
)
def test_a_table_that_does_not_fit(timed, options, message):
    status, _, err = timed(*options)
    assert status == 2
    assert message in err


def test_resume_keeps_the_table(search, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoint.pt").touch()
    status, _, err = search("--resume", "--latency", "t.json", resume=True)
    assert status == 2
    assert "leave out --latency" in err
