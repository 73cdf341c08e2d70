"""Tests of the progress bar: what it shows of numbers that are known, or estimated on the way."""

from __future__ import annotations

import io
import sys
import time

import pytest

from bnas_deploy.cli.common.text import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_number_that_becomes_known(monkeypatch: pytest.MonkeyPatch) -> None:
    tqdm = pytest.importorskip("tqdm").tqdm
    monkeypatch.setattr(tqdm, "monitor_interval", 0)
    terminal, seen = Terminal(), 0
    monkeypatch.setattr(sys, "stderr", terminal)

    def expected() -> int | None:
        return None if seen < 3 else 8

    for item in progress(range(5), expected, done=3):
        seen = item
        time.sleep(0.11)  # the bar is drawn ten times a second at most
    told = terminal.getvalue()
    assert "\r3picture" in told
    assert "8/8" in told


def test_few_items_or_no_terminal_need_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    few = range(5)
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert progress(few, lambda: 5) is few
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert progress(few, lambda: None) is few
