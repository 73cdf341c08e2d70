"""Tests that a search resumes bit for bit, and of checkpoints that cannot be resumed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from bnas_deploy.checkpoints.torch_file import load_plain
from bnas_deploy.errors import CheckpointError, ConfigError, TrainingError
from bnas_deploy.search.checkpoint import load_search, save_search
from bnas_deploy.training.data.images import ImageSet
from bnas_deploy.training.machine.device import Runtime


def assert_same_search(a, b):
    for (name, x), y in zip(
        a.supernet.state_dict().items(), b.supernet.state_dict().values(), strict=True
    ):
        assert torch.equal(x, y), name
    timeless = [[{**row, "seconds": 0} for row in s.progress.history] for s in (a, b)]
    assert timeless[0] == timeless[1]
    assert a.progress.cells == b.progress.cells


def load(path, data, **options):
    torch.manual_seed(99)  # as another process would have it
    return load_search(path, lambda recipe: data, Runtime(), **options)


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_a_search_resumes_bit_for_bit_after_any_step(make_searcher, watch, data, tmp_path, steps):
    straight, first = make_searcher(), make_searcher()
    straight.run(watch())
    for _ in range(steps):
        first.stop = True
        first.run(watch())
    save_search(tmp_path / "c.pt", first)
    resumed = load(tmp_path / "c.pt", data)
    assert resumed.progress.epoch * 3 + resumed.progress.step == steps
    assert resumed.run(watch())
    assert_same_search(straight, resumed)


def test_everything_is_restored(make_searcher, data, tmp_path):
    searcher = make_searcher(seed=3, gammas=(2.0,), zeroise=False)
    save_search(tmp_path / "c.pt", searcher)
    resumed = load(tmp_path / "c.pt", data)
    assert (resumed.seed, resumed.gammas, resumed.recipe) == (3, (2.0,), searcher.recipe)
    assert resumed.data.name == "tiny"
    assert resumed.genotypes() == searcher.genotypes()


def test_epochs_lr_and_gammas_can_change(make_searcher, data, tmp_path):
    save_search(tmp_path / "c.pt", make_searcher())
    changes = {"epochs": 9, "lr": 0.5}
    resumed = load(tmp_path / "c.pt", data, gammas=[7.0], changes=changes)
    assert resumed.recipe == replace(make_searcher().recipe, **changes)
    assert resumed.alternation.recipe is resumed.recipe
    assert list(resumed.genotypes()) == [7.0]


def test_fewer_epochs_than_are_done(make_searcher, watch, data, tmp_path):
    searcher = make_searcher()
    searcher.run(watch())
    save_search(tmp_path / "c.pt", searcher)
    with pytest.raises(ConfigError, match="at least 2, which are done; got 1"):
        load(tmp_path / "c.pt", data, changes={"epochs": 1})


def test_a_state_that_is_not_finite_does_not_replace_a_good_one(make_searcher, data, tmp_path):
    searcher = make_searcher()
    save_search(tmp_path / "c.pt", searcher)
    searcher.supernet.classifier.weight.data[0, 0] = float("nan")
    with pytest.raises(TrainingError, match=r"classifier.weight holds NaN"):
        save_search(tmp_path / "c.pt", searcher)
    assert load(tmp_path / "c.pt", data).progress.epoch == 0
    assert [path.name for path in tmp_path.iterdir()] == ["c.pt"]


def test_other_data_is_refused(make_searcher, data, tmp_path):
    save_search(tmp_path / "c.pt", make_searcher())
    fewer = replace(data, train=ImageSet(data.train.images[:9], data.train.labels[:9]))
    with pytest.raises(CheckpointError, match=r"was on 25 training images of 3 .* has 9 of 3"):
        load(tmp_path / "c.pt", fewer)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda v: v.pop("progress"), "damaged .KeyError"),
        (lambda v: v["state_dict"].pop("alphas.normal"), "damaged .RuntimeError"),
        (lambda v: v["recipe"].update(cells=5), "damaged .RuntimeError"),
        (lambda v: v["recipe"].update(nonsense=5), "damaged .ConfigError"),
        (lambda v: v["progress"].update(step=-1), "whole numbers of epochs"),
        (lambda v: v["progress"].update(epoch=1), "a row and cells for each of 1 epochs"),
        (lambda v: v["state_dict"]["alphas.normal"].fill_(float("nan")), "damaged .TrainingError"),
        (lambda v: v.update(format="bnas-deploy/checkpoint"), "expected a file of format"),
        (lambda v: v.update(version=2), "expected version 1"),
    ],
)
def test_a_damaged_checkpoint(make_searcher, data, tmp_path, spoil, message):
    save_search(tmp_path / "c.pt", make_searcher())
    value = load_plain(tmp_path / "c.pt")
    spoil(value)
    torch.save(value, tmp_path / "c.pt")
    with pytest.raises(CheckpointError, match=message):
        load(tmp_path / "c.pt", data)


def test_an_optimizer_of_another_shape(make_searcher, watch, data, tmp_path):
    searcher = make_searcher(epochs=1)
    searcher.run(watch())
    save_search(tmp_path / "c.pt", searcher)
    value = load_plain(tmp_path / "c.pt")
    value["arch_optimizer"]["state"][0]["exp_avg"] = torch.zeros(2, 2)
    torch.save(value, tmp_path / "c.pt")
    with pytest.raises(CheckpointError, match=r"exp_avg of shape \(14, 7\); got \(2, 2\)"):
        load(tmp_path / "c.pt", data)
