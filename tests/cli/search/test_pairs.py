"""No option of bnas-search is ignored: what all pairs hand to the library, nothing is searched."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from support.option_pairs import Outcome, options_of, unexplained

from bnas_deploy.cli.search import display
from bnas_deploy.cli.search.command import main
from bnas_deploy.cli.search.parser import search_parser
from bnas_deploy.latency import table
from bnas_deploy.search import checkpoint, timing
from bnas_deploy.search import start as search_start
from bnas_deploy.training.machine import device
from bnas_deploy.training.run import start

EXAMPLES = {
    "gamma": ("2",),
    "cells": ("5",),
    "channels": ("4",),
    "image_size": ("16",),
    "epochs": ("7",),
    "momentum": ("0.5",),
    "diversity": ("2.5",),
    "flip": ("--no-flip",),
    "zeroise": ("--no-zeroise",),
    "dilated": ("--no-dilated",),
    "skip": ("--no-skip",),
    "latency": ("table.json",),
    "network": ("A",),
}


class Searcher:
    stop = False
    progress = SimpleNamespace(epoch=0, step=0)


class Timing:
    """Stands for what is known of the time of networks."""

    def __init__(self, *told):
        self.told = told

    def check_possible(self, gammas):
        self.told = (*self.told, gammas)

    def __repr__(self):
        return f"Timing{self.told}"


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "checkpoint.pt").touch()
    calls = []

    class Display:
        def __init__(self, searcher, out, options):
            calls.append(("display", str(out), options))

        def run(self):
            return True

        def summary(self):
            return {"summary": 1}

        def cells(self):
            return "cells"

    def recording(name, result=None):
        def call(*args, **options):
            told = [arg for arg in args if not callable(arg)]
            calls.append((name, told, sorted(options.items())))
            return result

        return call

    monkeypatch.setattr(display, "SearchDisplay", Display)
    monkeypatch.setattr(device, "choose_runtime", recording("runtime", "runtime"))
    monkeypatch.setattr(start, "set_threads", recording("threads"))
    monkeypatch.setattr(table, "read_table", lambda path: path)
    monkeypatch.setattr(timing, "Timing", Timing)
    monkeypatch.setattr(search_start, "read_images", recording("images"))
    monkeypatch.setattr(search_start, "fresh_searcher", recording("fresh", Searcher()))
    monkeypatch.setattr(checkpoint, "load_search", recording("resumed", Searcher()))

    def run(words):
        calls.clear()
        status = main(["--data", "data", *words])
        captured = capsys.readouterr()
        return Outcome(status, captured.err, (captured.out, repr(calls)))

    return run


@pytest.mark.parametrize("words", [("--out", "new"), ("--out", "old", "--resume")], ids=str)
def test_every_pair_of_options_reaches_the_library_or_is_refused(words, call):
    options = options_of(search_parser(), EXAMPLES, ("data", "out", "resume"))
    plain = call(words)
    assert plain.status == 0, plain.error
    assert call(words) == plain
    assert list(unexplained(lambda more: call((*words, *more)), options)) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--tau", "3", "--diversity", "0"], "--diversity 0 leaves that out"),
        (["--gamma", "2", "--no-zeroise"], "--no-zeroise leaves that out"),
        (["--latency", "t.json"], "--latency-weight L or --target-ms T"),
        (["--target-ms", "0.1"], "--target-ms is about the time in a table; add --latency"),
        (["--latency", "t.json", "--target-ms", "1", "--network", "bireal18"], "networks of cells"),
    ],
)
def test_settings_that_would_not_act(words, message, call):
    outcome = call(["--out", "new", *words])
    assert outcome.status == 2
    assert message in outcome.error
