"""No option of bnas-train is ignored: what all pairs hand to the library, nothing is trained."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from support.option_pairs import Outcome, options_of, unexplained

from bnas_deploy.cli.train import display
from bnas_deploy.cli.train.command import main
from bnas_deploy.cli.train.parser import train_parser
from bnas_deploy.training.machine import device
from bnas_deploy.training.run import start

EXAMPLES = {
    "config": ("A",),
    "dataset_name": ("name",),
    "genotype": ("latest_cell",),
    "channels": ("12",),
    "layers": ("5",),
    "reduce_at": ("1,2",),
    "widths": ("24,30,50",),
    "bases": ("2",),
    "image_size": ("16",),
    "init": ("model.pt",),
    "teacher": ("teacher.pt",),
    "entry": ("ema",),
    "recipe": ("recipe.json",),
    "flip": ("--no-flip",),
    "small_crop": ("24",),
    "broken": ("0.5",),
    "out": ("other",),
}


class Recorder:
    """Stands for what the command calls, and remembers how."""

    def __init__(self):
        self.calls = []

    def __call__(self, name, result=None):
        def call(*args, **options):
            told = [v for v in args if not isinstance(v, Trainer)]
            self.calls.append((name, told, sorted(options.items())))
            return result

        return call


class Trainer:
    """What is trained, so far as the command knows it."""

    stop = False
    progress = SimpleNamespace(epoch=0, step=0)


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "checkpoint.pt").touch()
    (tmp_path / "recipe.json").write_text(json.dumps({"label_smoothing": 0.125, "lr": 0.5}))
    record = Recorder()

    class Display:
        def __init__(self, trainer, out, options, *, quiet):
            record.calls.append(("display", str(out), options, quiet))

        def run(self):
            return True

        def summary(self):
            return {"summary": 1}

    monkeypatch.setattr(display, "TrainingDisplay", Display)
    monkeypatch.setattr(device, "choose_device", record("device", "cpu"))
    monkeypatch.setattr(device, "choose_runtime", record("runtime", "runtime"))
    monkeypatch.setattr(start, "set_threads", record("threads"))
    for name in ("fresh_trainer", "resumed_trainer"):
        monkeypatch.setattr(start, name, lambda *a, n=name, **o: record(n)(*a, **o) or Trainer())

    def run(words):
        record.calls.clear()
        status = main(["--data", "data", *words])
        captured = capsys.readouterr()
        return Outcome(status, captured.err, (captured.out, repr(record.calls)))

    return run


@pytest.mark.parametrize("words", [("--out", "new"), ("--out", "old", "--resume")], ids=str)
def test_every_pair_of_options_reaches_the_library_or_is_refused(words, call):
    options = options_of(train_parser(), EXAMPLES, ("data", "out", "resume"))
    plain = call(words)
    assert plain.status == 0, plain.error
    assert call(words) == plain
    assert list(unexplained(lambda more: call((*words, *more)), options)) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--restart-epochs", "9"], "--restart-epochs acts with --schedule cosine-restarts only"),
        (
            ["--momentum-swing", "0", "--schedule", "cosine-restarts"],
            "--momentum-swing acts with --schedule one-cycle only",
        ),
        (["--decay-share", "0.5"], "--decay-share acts with --schedule constant-cosine only"),
        (["--small-crop-share", "0.5"], "--small-crop-share acts with --small-crop above 0 only"),
        (["--head-epochs", "2"], "--head-epochs trains new layers on top of a trained network"),
        (["--distill", "0.5"], "--distill is the share of a teacher's answers; add --teacher"),
        (["--entry", "ema"], "--entry is for a checkpoint to begin with; add --init FILE"),
        (["--shortcut", "pool", "--no-skip"], "--no-skip leaves them out"),
    ],
)
def test_settings_that_would_not_act(words, message, call):
    outcome = call(["--out", "new", *words])
    assert outcome.status == 2
    assert message in outcome.error


def test_workers_of_images_in_memory(tmp_path):
    from bnas_deploy.errors import UsageError
    from bnas_deploy.nn.config import get_config

    with pytest.raises(UsageError, match="--workers: they decode images that are streamed"):
        start.Reading("auto", 2).read(tmp_path, get_config("Mini"))
