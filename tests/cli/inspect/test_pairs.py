"""No option of bnas-inspect is ignored."""

from __future__ import annotations

from dataclasses import replace

from support.option_pairs import Outcome, options_of, unexplained
from support.small_models import mean_colour_model

from bnas_deploy.cli.inspect.command import inspect_parser, main
from bnas_deploy.format import write


def test_every_pair_of_options_acts_or_is_refused(folder, capsys):
    write(replace(mean_colour_model(), labels=("a", "b", "c")), "other.bnn")
    examples = {"diff": ("model.bnn", "other.bnn")}

    def call(words):
        status = main(words)
        captured = capsys.readouterr()
        return Outcome(status, captured.err, captured.out)

    options = options_of(inspect_parser(), examples)
    assert list(unexplained(lambda more: call(["model.bnn", *more]), options)) == []
    options, diff = options_of(inspect_parser(), examples, ("diff",)), ("--diff", *examples["diff"])
    assert list(unexplained(lambda more: call([*diff, *more]), options)) == []
