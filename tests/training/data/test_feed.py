"""Tests of dividing an epoch among passes and processes, and of the images that come of it."""

from __future__ import annotations

import pytest
import torch

from bnas_deploy.errors import UsageError
from bnas_deploy.training.data.augment import Augmentation
from bnas_deploy.training.data.feed import MemoryFeed, Part, make_feed, plan
from bnas_deploy.training.machine.parallel import Group, share
from bnas_deploy.training.recipes.recipe import Recipe


@pytest.mark.parametrize("total", [0, 1, 7, 8])
@pytest.mark.parametrize("parts", [1, 2, 3, 8])
def test_shares_are_everything_once_and_nearly_equal(total, parts):
    bounds = [share(total, part, parts) for part in range(parts)]
    assert [i for first, last in bounds for i in range(first, last)] == list(range(total))
    sizes = [last - first for first, last in bounds]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("passes", [1, 2, 3])
@pytest.mark.parametrize("world", [1, 2])
def test_processes_together_have_the_joint_batch_in_its_order(passes, world):
    order = torch.randperm(23)
    plans = [plan(order, batch=7, passes=passes, group=Group(rank, world)) for rank in range(world)]
    assert {len(p) for p in plans} == {3 * passes}
    own = [torch.cat([rank.own for rank in parts]) for parts in zip(*plans, strict=True)]
    assert torch.equal(torch.cat(own), order[:21])
    for parts in zip(*plans, strict=True):
        assert all(torch.equal(part.chosen, parts[0].chosen) for part in parts)


def test_processes_crop_as_one_would(data):
    def images(parts):
        augmentation = Augmentation(padding=2, flip=True, seed=3)
        return list(MemoryFeed(data.train, augmentation, "cpu")(parts, epoch=0))

    chosen = torch.arange(40).reshape(4, 10).flip(0)
    want = images([Part(c, 0, 10) for c in chosen])
    first, second = (
        images([Part(c, 0, 4) for c in chosen]),
        images([Part(c, 4, 10) for c in chosen]),
    )
    for whole, left, right in zip(want, first, second, strict=True):
        assert torch.equal(torch.cat([left, right]), whole)


def test_crops_of_random_size_need_streaming(data):
    augmentation = Augmentation(padding=0, flip=False, seed=0)
    with pytest.raises(UsageError, match=r"crop_area above 0 .*--stream on"):
        make_feed(data, Recipe(crop_area=0.1), augmentation, device="cpu", seed=0)
