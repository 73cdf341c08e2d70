"""The tables divide medians of one run, and say where something is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from reporting import tables, targets
from reporting.results import read


@pytest.fixture
def text(report: Path) -> str:
    run = read(report)
    return tables.markdown(run, targets.outcomes(run, targets.read()), ["speedup.svg"])


def cells(text: str, *wanted: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if all(word in line for word in wanted)]
    return [line.strip("| ").split(" | ") for line in lines if line.startswith("|")]


def test_ratios_against_both_float_networks(text: str) -> None:
    without, same = cells(text, "native-avx2 ", "4.00 ms ± 10%")
    assert (without[3:], same[3:]) == (["25.0×"], ["12.5×"])


def test_targets_have_their_figures(text: str) -> None:
    (row,) = cells(text, "BNAS-A with the paper's shortcut in 8 bits over PyTorch float32")
    assert row[2:5] == ["≥ 120.0×", "100.0×", "no"]
    (row,) = cells(text, "loading BNAS-Mini")
    assert row[3] == "not measured"


def test_layers(text: str) -> None:
    (good,) = cells(text, "| good |")
    (bad,) = cells(text, "| bad |")
    assert good[7] == "100%"
    assert good[9:] == ["80%", "3300000.0", "30%", "2.6×", "2.2×"]
    assert bad[9:] == ["40%", "-", "-", "-", "-"]
    assert not cells(text, "unfinished")


def test_files(text: str) -> None:
    (row,) = cells(text, "4.00 MB", "15.0×")
    assert row[:6] == ["BNAS-A", "20.00 MB", "4.00 MB", "0.00 MB", "2.00 MB", "15.0×"]


def test_small_networks(text: str) -> None:
    (row,) = cells(text, "ResNet-20", "200.00 ms")
    assert row == ["ResNet-20", "OpenVINO int8", "200.00 ms ± 10%", "2.00×"]


def test_pictures_a_second(text: str) -> None:
    assert "| 32x32 | the network alone | 2,500 |" in text
    assert "| 32x32 | predict, workers=0 | 2,000 |" in text


def test_threads_with_their_slowest_calls(text: str) -> None:
    (row,) = cells(text, "| busy | 2 |")
    assert row[2:] == ["100.00 ms ± 10%", "400.00 ms"]


def test_theory_of_the_paper(text: str) -> None:
    assert "148.5× in the paper's accounting" in text
    assert "21.7× with the full-precision shortcuts counted" in text


def test_machine_and_pictures(text: str) -> None:
    assert "Made(R) Up 3000" in text
    assert "![Speed-up](speedup.svg)" in text
