"""Tests that a run resumes bit for bit, and of checkpoints that cannot be resumed."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
import torch

from bnas_deploy.errors import CheckpointError, ConfigError
from bnas_deploy.training.data.images import ImageSet
from bnas_deploy.training.machine.device import Runtime
from bnas_deploy.training.run.checkpoint import load_checkpoint, save_checkpoint


class Save:
    """Saves at a step counted over the whole run, and stops there."""

    def __init__(self, path=None, at=None):
        self.path, self.at = path, at

    def step(self, trainer, loss, accuracy):
        pass

    def epoch(self, trainer, row):
        if self.at == "epoch":
            save_checkpoint(self.path, trainer)
            trainer.stop = True


@pytest.fixture(autouse=True)
def _restore_generators():
    states = random.getstate(), np.random.get_state()  # noqa: NPY002 - the generator it restores
    yield
    random.setstate(states[0])
    np.random.set_state(states[1])  # noqa: NPY002


def assert_same_run(a, b):
    for (name, x), y in zip(
        a.network.state_dict().items(), b.network.state_dict().values(), strict=True
    ):
        assert torch.equal(x, y), name
    timeless = [
        [{k: v for k, v in row.items() if "second" not in k} for row in t.progress.history]
        for t in (a, b)
    ]
    assert timeless[0] == timeless[1]


def disturb():
    """Move every global generator, as another process would have it."""
    torch.manual_seed(99)
    random.seed(99)
    np.random.seed(99)  # noqa: NPY002


def test_two_epochs_are_one_and_a_resumed_one(make_trainer, data, tmp_path):
    straight, first = make_trainer(), make_trainer()
    torch.manual_seed(7)
    assert straight.run(Save())
    torch.manual_seed(7)
    first.run(Save(tmp_path / "c.pt", at="epoch"))
    disturb()
    resumed = load_checkpoint(tmp_path / "c.pt", lambda config: data, Runtime())
    assert resumed.progress.epoch == 1
    assert resumed.run(Save())
    assert_same_run(straight, resumed)


def test_a_run_resumes_inside_an_epoch(make_trainer, data, tmp_path):
    straight, first = make_trainer(), make_trainer()
    torch.manual_seed(7)
    straight.run(Save())
    torch.manual_seed(7)
    first.stop = True
    first.run(Save())
    save_checkpoint(tmp_path / "c.pt", first)
    disturb()
    resumed = load_checkpoint(tmp_path / "c.pt", lambda config: data, Runtime())
    assert (resumed.progress.epoch, resumed.progress.step) == (0, 1)
    resumed.run(Save())
    assert_same_run(straight, resumed)


def test_every_generator_is_restored(make_trainer, data, tmp_path):
    trainer = make_trainer()
    save_checkpoint(tmp_path / "c.pt", trainer)

    def draw(trainer):
        mine = torch.rand(2, generator=trainer.augmentation.generator).tolist()
        return torch.rand(2).tolist(), random.random(), np.random.rand(), mine  # noqa: NPY002

    want = draw(trainer)
    disturb()
    assert draw(load_checkpoint(tmp_path / "c.pt", lambda config: data, Runtime())) == want


def test_the_length_of_a_run_can_change(make_trainer, data, tmp_path):
    save_checkpoint(tmp_path / "c.pt", make_trainer())
    resumed = load_checkpoint(
        tmp_path / "c.pt", lambda config: data, Runtime(), changes={"epochs": 9, "lr": 1.5}
    )
    assert resumed.recipe == replace(make_trainer().recipe, epochs=9, lr=1.5)


def test_a_setting_that_may_not_change(make_trainer, data, tmp_path):
    save_checkpoint(tmp_path / "c.pt", make_trainer())
    with pytest.raises(ConfigError, match=r"only epochs, .* may change; got \['batch'\]"):
        load_checkpoint(tmp_path / "c.pt", lambda config: data, Runtime(), changes={"batch": 5})


@pytest.mark.parametrize("change", [{"epochs": 0}, {"lr": float("nan")}])
def test_a_change_out_of_range(make_trainer, data, tmp_path, change):
    save_checkpoint(tmp_path / "c.pt", make_trainer())
    with pytest.raises(ConfigError, match=f"recipe: {next(iter(change))}"):
        load_checkpoint(tmp_path / "c.pt", lambda config: data, Runtime(), changes=change)


def test_nothing_is_left_beside_the_checkpoint(make_trainer, tmp_path):
    for _ in range(2):
        save_checkpoint(tmp_path / "c.pt", make_trainer())
    assert [path.name for path in tmp_path.iterdir()] == ["c.pt"]


def test_other_data_is_refused(make_trainer, data, tmp_path):
    save_checkpoint(tmp_path / "c.pt", make_trainer())
    fewer = replace(data, train=ImageSet(data.train.images[:30], data.train.labels[:30]))
    with pytest.raises(CheckpointError, match=r"on \[45, 15\] images .*, of 3 classes"):
        load_checkpoint(tmp_path / "c.pt", lambda config: fewer, Runtime())


@pytest.mark.parametrize("entry", ["optimizer", "progress", "random", "recipe", "seed", "config"])
def test_a_missing_entry_is_named(make_trainer, data, tmp_path, entry):
    save_checkpoint(tmp_path / "c.pt", make_trainer())
    value = torch.load(tmp_path / "c.pt")
    del value[entry]
    torch.save(value, tmp_path / "c.pt")
    with pytest.raises(CheckpointError, match=f"damaged .*{entry}"):
        load_checkpoint(tmp_path / "c.pt", lambda config: data, Runtime())


def test_a_truncated_file(make_trainer, data, tmp_path):
    path = tmp_path / "c.pt"
    save_checkpoint(path, make_trainer())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(CheckpointError, match="not a torch file"):
        load_checkpoint(path, lambda config: data, Runtime())


def test_a_product_is_no_checkpoint(data, tmp_path):
    torch.save({"format": "bnas-deploy/model", "version": 1}, tmp_path / "m.pt")
    with pytest.raises(CheckpointError, match=r"expected a file of format bnas-deploy/checkpoint"):
        load_checkpoint(tmp_path / "m.pt", lambda config: data, Runtime())


@pytest.mark.parametrize(
    "damage",
    [
        lambda value: value["progress"].update(epoch="one"),
        lambda value: value["progress"].update(step=-1),
        lambda value: value["progress"].update(history=3),
        lambda value: value["random"].update(numpy=3),
        lambda value: value["random"].update(torch=torch.zeros(3)),
        lambda value: value["random"].update(python=(3, (10**300,) * 625, None)),
        lambda value: value.update(optimizer={"state": {}, "param_groups": 3}),
        lambda value: value["optimizer"]["state"].update({0: {"momentum_buffer": torch.ones(7)}}),
        lambda value: value.update(recipe=3),
        lambda value: value.update(state_dict=3),
        lambda value: value.update(classes=3, images=4),
        lambda value: value.update(preprocessing=[]),
        lambda value: value["config"].update(channels=10**9),
        lambda value: value.update(initial={}),
        lambda value: value.update(initial={"file": 1, "new": []}),
        lambda value: value.update(initial={"file": "a.pt", "new": [1]}),
        lambda value: value.update(initial={"file": "a.pt", "new": [], "notes": 1}),
    ],
)
def test_a_damaged_entry_is_one_error(make_trainer, data, tmp_path, damage):
    save_checkpoint(tmp_path / "c.pt", make_trainer())
    value = torch.load(tmp_path / "c.pt")
    damage(value)
    torch.save(value, tmp_path / "c.pt")
    with pytest.raises(CheckpointError) as info:
        load_checkpoint(tmp_path / "c.pt", lambda config: data, Runtime())
    assert "\n" not in str(info.value)
    assert len(str(info.value)) < 1000
