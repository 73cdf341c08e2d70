"""No option of bnas-latency is ignored: what all pairs hand to the library, nothing is measured."""

from __future__ import annotations

import pytest
from support.made_up_latency import small_network, small_table
from support.option_pairs import Outcome, options_of, unexplained

from bnas_deploy.cli.latency import command
from bnas_deploy.cli.latency.command import main
from bnas_deploy.cli.latency.parser import latency_parser
from bnas_deploy.latency import clock, measure, outline, predict

EXAMPLES = {
    "measure": {
        "network": ("A",),
        "widths": ("4", "8"),
        "stems": ("narrow",),
        "shortcuts": ("pool",),
        "eight_bit": ("stem",),
        "quiet": ("--quiet",),
    },
    "predict": {"genotype": ("latest_cell",)},
    "choose": {
        "network": ("A",),
        "genotype": ("latest_cell",),
        "layers": ("3", "7"),
        "widths": ("4", "8"),
        "stems": ("narrow",),
        "shortcuts": ("pool",),
        "out": ("outline.json",),
    },
}
FIXED = {"measure": (), "predict": ("Mini",), "choose": ("--target-ms", "1")}


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    calls = []

    def recording(name, result):
        def call(*args, **options):
            if tell := options.pop("tell", None):
                tell("measuring", 0, 1)
            calls.append((name, args, sorted(options.items())))
            return result

        return call

    row = predict.Prediction(1e-3, 3, 1, 1e-4, {"binary_conv2d": 9e-4})

    class Times:
        run = 1e-3

    found = [outline.Outline(small_network(), 1e-3, 5)]
    for module, name, result in (
        (measure, "measure_table", small_table()),
        (predict, "predict", row),
        (clock, "measure_in_turns", [Times()]),
        (outline, "choose_outlines", found),
        (command, "read_table", small_table()),
        (command, "write_table", None),
        (command, "packed_network", "packed"),
        (command, "write_config", None),
    ):
        monkeypatch.setattr(module, name, recording(name, result))

    def run(words):
        calls.clear()
        status = main(list(words))
        captured = capsys.readouterr()
        return Outcome(status, captured.err, (captured.out, captured.err, repr(calls)))

    return run


@pytest.mark.parametrize("verb", EXAMPLES)
def test_every_pair_of_options_reaches_the_library_or_is_refused(verb, call):
    verbs = next(a for a in latency_parser()._actions if a.dest == "command").choices
    options = options_of(verbs[verb], EXAMPLES[verb], ("target_ms",))
    words = (verb, "table.json", *FIXED[verb])
    plain = call(words)
    assert plain.status == 0, plain.error
    assert call(words) == plain
    assert list(unexplained(lambda more: call((*words, *more)), options)) == []
