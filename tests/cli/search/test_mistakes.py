"""Mistakes in what bnas-search is given: one line, status 2, nothing overwritten."""

from __future__ import annotations

import pytest

from bnas_deploy.cli.common.run_folder import locked_out


def test_a_second_search_beside_the_first(search, tmp_path):
    with locked_out(tmp_path / "run"):
        status, _, err = search()
        assert status == 2
        assert "another run is writing there" in err


def test_a_search_is_not_overwritten(search, tmp_path):
    search("--quiet", "--epochs", "1")
    status, _, err = search()
    assert status == 2
    assert "holds a search already; add --resume" in err
    (tmp_path / "run" / "checkpoint.pt").unlink()
    status, _, err = search()
    assert status == 2
    assert "holds search.json and metrics.csv and genotype-gamma-1.json" in err


@pytest.mark.parametrize(
    ("package", "message"),
    [
        ("torch", 'torch not installed; pip install "torch>=2.4" tqdm'),
        ("matplotlib", "pip install matplotlib, or leave the pictures out with --no-pictures"),
    ],
)
def test_a_package_that_is_not_there(search, monkeypatch, package, message):
    monkeypatch.setattr("bnas_deploy.cli.common.entry.is_installed", lambda name: name != package)
    status, _, err = search(pictures=True)
    assert status == 2
    assert message in err
