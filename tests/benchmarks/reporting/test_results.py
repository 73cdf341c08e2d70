"""Results are read and chosen among by their facts."""

from __future__ import annotations

from pathlib import Path

import pytest
from reporting import results


def test_read(report: Path) -> None:
    run = results.read(report)
    assert (run.date, run.cpu) == ("2026-01-02", "Made(R) Up 3000")
    assert len(results.select(run.results, {"kind": "network", "own": True})) == 3


def test_a_list_means_any_of_them(report: Path) -> None:
    wanted = {"kind": "network", "runner": ["native-avx2", "pytorch-float32"]}
    assert len(results.select(results.read(report).results, wanted)) == 3


def test_fastest(report: Path) -> None:
    found = results.fastest(results.read(report).results, {"kind": "network"})
    assert found is not None
    assert found.median == 0.001
    assert results.name(found.facts) == "BNAS-A, 8 bits"
    assert results.fastest((), {}) is None


def test_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text("{}")
    with pytest.raises(ValueError, match="make bench"):
        results.read(path)
