"""Tests of runs that end by the clock, which the tests set."""

from __future__ import annotations

import pytest

from bnas_deploy.errors import ConfigError, UsageError
from bnas_deploy.training.machine.device import Runtime
from bnas_deploy.training.machine.parallel import Group
from bnas_deploy.training.recipes.recipe import Recipe
from bnas_deploy.training.run.checkpoint import load_checkpoint, save_checkpoint


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on by a minute whenever it is read."""

    class Clock:
        now = 0.0

        def __call__(self):
            self.now += 60.0
            return self.now

    monkeypatch.setattr("bnas_deploy.training.run.loop.time.monotonic", Clock())


class Rates:
    def __init__(self):
        self.rates = []

    def step(self, trainer, loss, accuracy):
        self.rates.append(trainer.optimizer.param_groups[0]["lr"])

    def epoch(self, trainer, row):
        pass


def make(make_trainer, **recipe):
    return make_trainer(**{"epochs": 50, "schedule": "cosine", "drop_path": 0.0, **recipe})


def test_it_ends_when_the_time_is_over_with_the_rate_at_its_end(make_trainer, clock):
    trainer = make(make_trainer, hours=0.5, lr=0.1)
    trainer.check_arithmetic()
    observer = Rates()
    assert trainer.run(observer)
    rows = trainer.progress.history
    assert 1 < len(rows) < 50
    assert trainer.over
    assert trainer.progress.seconds >= 1800
    assert rows[-1]["test_accuracy"] >= 0
    assert rows[0]["lr"] > 0.08
    assert rows[-1]["lr"] < 0.005
    assert rows[0]["estimated_seconds"] == 1800


def test_an_epoch_cut_short_counts_what_it_did(make_trainer, clock):
    trainer = make(make_trainer, hours=0.035)
    trainer.check_arithmetic()
    trainer.run(Rates())
    (row,) = trainer.progress.history
    assert row["images_per_second"] == pytest.approx(2 * 10 / 120, rel=0.51)
    assert 0 <= row["train_accuracy"] <= 1


def test_more_hours_go_on(make_trainer, clock, data, tmp_path):
    trainer = make(make_trainer, hours=0.1)
    assert trainer.run(Rates())
    save_checkpoint(tmp_path / "c.pt", trainer)
    again = load_checkpoint(tmp_path / "c.pt", lambda config: data, Runtime())
    assert again.over
    again = load_checkpoint(
        tmp_path / "c.pt", lambda config: data, Runtime(), changes={"hours": 0.3}
    )
    assert not again.over
    assert again.run(Rates())
    assert len(again.progress.history) > len(trainer.progress.history)


def test_small_crops_by_the_clock(make_trainer, clock):
    trainer = make(make_trainer, hours=1.0, small_crop=4, small_crop_share=0.5)
    sizes = []

    class Sizes(Rates):
        def epoch(self, trainer, row):
            sizes.append(trainer.augmentation.size)

    assert trainer.run(Sizes())
    assert sizes == sorted(sizes, reverse=True)
    assert set(sizes) == {4, 0}


def test_what_does_not_go_together(make_trainer):
    with pytest.raises(ConfigError, match="counts epochs"):
        Recipe(hours=1.0, schedule="cosine-restarts")
    trainer = make_trainer(hours=1.0)
    from bnas_deploy.training.run.requirements import check_recipe

    trainer.group = Group(rank=0, world=2)
    with pytest.raises(UsageError, match="single process"):
        check_recipe(trainer)
