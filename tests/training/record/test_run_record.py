"""Tests of what a run leaves in its folder."""

from __future__ import annotations

import csv

import pytest

from bnas_deploy.checkpoints.torch_file import load_plain
from bnas_deploy.training.model.trained_model import load_model
from bnas_deploy.training.record.run_record import COLUMNS, RunRecord, RunRecordOptions


class Counting(RunRecord):
    """Counts the checkpoints."""

    saves = 0

    def save(self):
        super().save()
        self.saves += 1


def test_a_run_without_a_command_leaves_the_same_files(make_trainer, tmp_path):
    trainer = make_trainer()
    record = RunRecord(trainer, tmp_path, RunRecordOptions(gradients=True))
    assert trainer.run(record)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("checkpoint.pt", "gradients.csv", "metrics.csv", "model.pt"),
    ]
    training = load_model(tmp_path / "model.pt").training
    assert training == record.account()
    assert training["dataset"] == "tiny"
    assert load_plain(tmp_path / "checkpoint.pt")["progress"]["epoch"] == 2
    with (tmp_path / "metrics.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == list(COLUMNS)
    assert [row[0] for row in rows[1:]] == ["1", "2"]


@pytest.mark.parametrize(("minutes", "saves"), [(1e-9, 6), (60.0, 2)])
def test_checkpoints_within_an_epoch(make_trainer, tmp_path, minutes, saves):
    trainer = make_trainer(batch=4)  # eleven steps: the loop tells of the tenth and the last
    options = RunRecordOptions(checkpoint_minutes=minutes, csv=False)
    record = Counting(trainer, tmp_path, options)
    trainer.run(record)
    assert record.saves == saves
    assert not (tmp_path / "metrics.csv").exists()


def test_advice_names_the_last_good_checkpoint(make_trainer, tmp_path):
    trainer = make_trainer()
    record = RunRecord(trainer, tmp_path, RunRecordOptions())
    assert record.advice() == "there is no checkpoint yet; begin again"
    trainer.run(record)
    assert record.advice() == (
        f"go on from {tmp_path / 'checkpoint.pt'} (the last good one, after 2 epochs)"
        " with --resume --lr N"
    )
