"""Tests of the split and of the batches."""

from __future__ import annotations

import numpy as np
import pytest

from bnas_deploy.errors import DataError
from bnas_deploy.search.halves import split_halves
from bnas_deploy.training.data.images import ImageSet


def numbered(count):
    images = np.zeros((count, 4, 4, 3), np.uint8)
    images[:, 0, 0, 0] = np.arange(count)
    return ImageSet(images, np.arange(count, dtype=np.int64))


@pytest.mark.parametrize("count", [4, 25, 64])
def test_halves_share_no_image(count):
    halves = split_halves(numbered(count), seed=0)
    weights, architecture = set(halves.weights.labels), set(halves.architecture.labels)
    assert len(weights) == len(architecture) == count // 2
    assert not weights & architecture
    assert np.array_equal(halves.weights.images[:, 0, 0, 0], halves.weights.labels)


def test_the_seed_decides_the_split():
    first, same, other = (split_halves(numbered(40), seed) for seed in (0, 0, 1))
    assert np.array_equal(first.weights.labels, same.weights.labels)
    assert not np.array_equal(first.weights.labels, other.weights.labels)


def test_too_few_images():
    with pytest.raises(DataError, match="at least four training images; got 3"):
        split_halves(numbered(3), seed=0)


def labels_of(batches):
    return [(a.tolist(), w.tolist()) for (_, a), (_, w) in batches]


def test_an_epoch_takes_each_image_once_from_its_own_half():
    halves = split_halves(numbered(24), seed=3)
    batches = labels_of(halves.batches(4, seed=3, epoch=0))
    assert len(batches) == 3
    assert sorted(label for a, _ in batches for label in a) == sorted(halves.architecture.labels)
    assert sorted(label for _, w in batches for label in w) == sorted(halves.weights.labels)


def test_batches_go_on_where_they_stood_and_differ_by_epoch():
    halves = split_halves(numbered(24), seed=3)
    whole = labels_of(halves.batches(4, seed=3, epoch=1))
    assert labels_of(halves.batches(4, seed=3, epoch=1, first=2)) == whole[2:]
    assert labels_of(halves.batches(4, seed=3, epoch=2)) != whole


def test_a_partial_batch_is_left_out():
    halves = split_halves(numbered(23), seed=0)
    assert [len(a) for a, _ in labels_of(halves.batches(4, seed=0, epoch=0))] == [4, 4]
