"""Tests of uneven classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from bnas_deploy.training.data.classes import class_weights, told_of_classes
from bnas_deploy.training.data.images import ImageSet

LABELS = np.array([0] * 8 + [1] * 3 + [2])


def test_all_classes_count_alike_and_the_mean_image_counts_1():
    weights = class_weights(LABELS, 3).numpy()
    assert weights * np.bincount(LABELS) == pytest.approx([4, 4, 4])
    assert weights[LABELS].mean() == pytest.approx(1)


def test_people_are_told_beyond_three_to_one():
    names = ("cat", "dog", "elk")
    assert told_of_classes(np.repeat(np.arange(3), [9, 3, 4]), names, "none") == []
    (line,) = told_of_classes(LABELS, names, "none")
    assert line == (
        "classes are uneven: cat has 8 images to learn from, elk has 1; see --balance weights"
    )
    assert told_of_classes(LABELS, names, "weights")[0].endswith("rare ones weigh more")


@pytest.mark.parametrize("accumulate", [1, 4])
def test_the_loss_of_a_step_is_weighted(make_trainer, data, accumulate):
    uneven = replace(data, train=ImageSet(data.train.images[:12], LABELS))
    settings = {"batch": 12, "epochs": 1, "flip": False, "crop_padding": 0, "drop_path": 0.0}
    settings |= {"accumulate": accumulate, "label_smoothing": 0.1}
    losses = []
    for balance in ("none", "weights"):
        trainer = make_trainer(data=uneven, balance=balance, binary=False, **settings)
        logits = []
        handle = trainer.network.register_forward_hook(lambda *a, to=logits: to.append(a[2]))
        seen = []
        count = trainer.computation._cross_entropy
        trainer.computation._cross_entropy = lambda x, y, s, f=count, to=seen: (
            to.append(y) or f(x, y, s)
        )
        trainer.check_arithmetic()
        logits.clear()
        seen.clear()
        trainer.run(Silent())
        handle.remove()
        logits, labels = logits[:accumulate], torch.cat(seen)
        each = functional.cross_entropy(
            torch.cat(logits), labels, reduction="none", label_smoothing=0.1
        )
        weights = class_weights(LABELS, 3)[labels] if balance == "weights" else torch.ones(12)
        loss = trainer.progress.history[0]["train_loss"]
        assert loss == pytest.approx((each * weights).mean().item(), rel=1e-5)
        losses.append(loss)
    assert losses[0] != pytest.approx(losses[1], rel=1e-3)


class Silent:
    def step(self, trainer, loss, accuracy):
        pass

    def epoch(self, trainer, row):
        pass
