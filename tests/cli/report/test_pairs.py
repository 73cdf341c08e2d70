"""No option of bnas-report is ignored: what all pairs hand to the library, nothing is trained."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from support.option_pairs import Outcome, options_of, unexplained

from bnas_deploy.cli.report import command
from bnas_deploy.cli.report.command import main, report_parser
from bnas_deploy.nn.genotype import LATEST_CELL
from bnas_deploy.training.run import start

EXAMPLES = {
    "out": ("other",),
    "data": ("data",),
    "dataset_name": ("name",),
    "imagenet": ("data",),
    "seeds": ("7",),
    "only": ("shipped-mini",),
    "cell": ("no-dilated=cell.json",),
    "teacher": ("teacher.pt",),
    "hours": ("2",),
    "model": ("teacher.pt",),
    "shipped": ("model.pt",),
    "results": ("data",),
}


@dataclass
class Results:
    experiment: str
    budget: str
    jobs: tuple[()] = ()


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "teacher.pt").touch()
    (tmp_path / "cell.json").write_text(LATEST_CELL.to_json())
    calls = []

    def run_experiment(experiment, options, train, say):
        calls.append((experiment.name, options, train.keywords))
        return Results(experiment.name, options.budget)

    monkeypatch.setattr(command, "run_experiment", run_experiment)
    monkeypatch.setattr(start, "set_threads", calls.append)

    def run(words):
        calls.clear()
        status = main(words)
        captured = capsys.readouterr()
        return Outcome(status, captured.err, (captured.out, repr(calls)))

    return run


def subparser(name):
    (commands,) = (a for a in report_parser()._actions if a.dest == "command")
    return commands.choices[name]


@pytest.mark.parametrize(
    "words",
    [
        ("list",),
        ("run", "all", "--out", "runs"),
        ("run", "table6", "--out", "runs"),
        ("run", "shortcuts", "--out", "runs", "--budget", "smoke"),
    ],
    ids=" ".join,
)
def test_every_pair_of_options_acts_or_is_refused(words, call):
    fixed = {word[2:] for word in words if word.startswith("--")}
    options = options_of(subparser(words[0]), EXAMPLES, fixed)
    plain = call(words)
    assert plain.status == 0, plain.error
    assert call(words) == plain
    assert list(unexplained(lambda more: call((*words, *more)), options)) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["shortcuts", "--shipped", "x.pt"], "--shipped: no job of shortcuts with --budget cpu"),
        (["shortcuts", "--teacher", "teacher.pt"], "--teacher: no job of shortcuts"),
        (["shortcuts", "--imagenet", "data"], "--imagenet: no job of shortcuts"),
        (["table6", "--cell", "no-dilated=cell.json"], "--cell: no job of table6"),
        (["table11", "--cell", "nonsense=cell.json"], "--cell: no job of table11"),
        (["table6", "--dataset-name", "x"], "--data, which is not given"),
    ],
)
def test_what_no_job_uses(words, message, call):
    outcome = call(["run", *words, "--out", "runs"])
    assert outcome.status == 2
    assert message in outcome.error
