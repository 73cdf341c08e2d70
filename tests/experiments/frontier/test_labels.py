"""Tests of names beside points: where there is room, and not over each other."""

from __future__ import annotations

from itertools import combinations

import pytest
from matplotlib.figure import Figure

from bnas_deploy.experiments.page.labels import put_labels


@pytest.fixture
def axis():
    figure = Figure(figsize=(4, 3))
    axis = figure.subplots()
    axis.set(xlim=(0, 10), ylim=(0, 10))
    figure.draw_without_rendering()
    return axis


def test_a_lonely_name_stands_to_the_right(axis):
    put_labels(axis, [("network", 5, 5, "black")])
    (label,) = axis.texts
    assert label.xyann[0] > 0 > label.xyann[1]


def test_names_of_near_points_do_not_cover_each_other(axis):
    put_labels(axis, [(f"network {i}", 5 + 0.1 * i, 5 + 0.1 * i, "black") for i in range(4)])
    boxes = [label.get_window_extent() for label in axis.texts]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_a_name_at_the_edge_stays_inside(axis):
    put_labels(axis, [("network", 9.9, 5, "black")])
    (label,) = axis.texts
    assert label.get_window_extent().x1 <= axis.bbox.x1
