"""Tests of the search loop: rows, cells, determinism, stopping, and state that is not finite."""

from __future__ import annotations

import math

import pytest
import torch

from bnas_deploy.errors import ConfigError, TrainingError
from bnas_deploy.search.loop import gamma_name
from bnas_deploy.search.selection import select_genotype, shares


def timeless(searcher):
    return [{**row, "seconds": 0} for row in searcher.progress.history]


def test_rows_of_the_metrics(make_searcher, watch):
    searcher, seen = make_searcher(epochs=3), watch()
    assert searcher.run(seen)
    rows = searcher.progress.history
    assert rows == seen.rows
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert rows[0]["lr"] == 0.025
    assert [row["diversity_weight"] for row in rows] == [math.exp(-t / 7.7) for t in range(3)]
    for row in rows:
        assert 0 < row["entropy_normal"] < math.log(7) + 1e-6
        assert 0 <= row["train_accuracy"] <= 1
        assert 0 <= row["search_accuracy"] <= 1
        assert row["search_loss"] > 0 < row["train_loss"]
    # The last of an epoch's three steps is always told.
    assert seen.steps == [(0, 3), (1, 3), (2, 3)]


def test_the_shares_are_those_of_the_cells(make_searcher, watch):
    searcher = make_searcher(gammas=(1.0, 0.5, math.inf))
    searcher.run(watch())
    row = searcher.progress.history[-1]
    for gamma, genotype in searcher.genotypes().items():
        name = gamma_name(gamma)
        assert (row[f"learnable_gamma_{name}"], row[f"zeroise_gamma_{name}"]) == shares(genotype)
        assert searcher.progress.cells[-1][name] == genotype.to_text()
    assert row["zeroise_gamma_0.5"] == 1.0
    assert row["zeroise_gamma_inf"] == 0.0


def test_cells_follow_the_architecture_parameters(make_searcher):
    searcher = make_searcher(gammas=(1.0,))
    with torch.no_grad():
        searcher.supernet.alphas["normal"][:, 3] = 5.0
        searcher.supernet.alphas["reduce"][:, 1] = 5.0
    genotype = searcher.genotypes()[1.0]
    assert {name for name, _ in genotype.normal} == {"bin_conv_3x3"}
    assert {name for name, _ in genotype.reduce} == {"max_pool_3x3"}
    assert genotype == select_genotype(searcher.probabilities(), searcher.supernet.space, 1.0)


def test_weights_learn_and_the_architecture_moves(make_searcher, watch):
    searcher = make_searcher(epochs=8, arch_lr=0.01)
    before = searcher.probabilities()["normal"]
    searcher.run(watch())
    rows = searcher.progress.history
    assert rows[-1]["train_loss"] < rows[0]["train_loss"]
    assert rows[-1]["train_accuracy"] > 0.5
    assert abs(searcher.probabilities()["normal"] - before).max() > 0.005


def test_a_seed_decides_everything(make_searcher, watch):
    first, same, other = make_searcher(), make_searcher(), make_searcher(seed=6)
    for searcher in (first, same, other):
        searcher.run(watch())
    assert timeless(first) == timeless(same)
    for name, tensor in first.supernet.state_dict().items():
        assert torch.equal(tensor, same.supernet.state_dict()[name]), name
    assert timeless(first) != timeless(other)


def test_without_diversity_the_weight_is_zero(make_searcher, watch):
    searcher = make_searcher(diversity=0.0, epochs=1)
    searcher.run(watch())
    assert searcher.progress.history[0]["diversity_weight"] == 0.0


def test_stop_leaves_after_a_step(make_searcher, watch):
    searcher = make_searcher()
    searcher.stop = True
    assert not searcher.run(watch())
    assert (searcher.progress.epoch, searcher.progress.step) == (0, 1)


@pytest.mark.parametrize(("batch", "steps"), [(4, 3), (12, 1), (100, 1), (11, 1), (2, 6)])
def test_a_partial_batch_is_left_out(make_searcher, batch, steps):
    assert make_searcher(batch=batch).steps_per_epoch == steps


def test_a_loss_that_is_not_a_number_names_step_and_layer(make_searcher, watch):
    searcher = make_searcher()
    searcher.supernet.classifier.bias.data.fill_(float("nan"))
    with pytest.raises(TrainingError, match=r"nan in the .* step 1; .* output of classifier"):
        searcher.run(watch())


def test_a_state_that_is_not_finite(make_searcher):
    searcher = make_searcher()
    searcher.check_finite()
    searcher.supernet.alphas["reduce"].data[3, 2] = float("inf")
    with pytest.raises(TrainingError, match=r"alphas.reduce holds NaN or infinity after epoch 1"):
        searcher.check_finite()


def test_gammas_are_checked_and_kept_once(make_searcher):
    assert make_searcher(gammas=(3.0, 1.0, 3.0)).gammas == (3.0, 1.0)
    with pytest.raises(ConfigError, match="gamma must be above 0"):
        make_searcher(gammas=(0.0,))
