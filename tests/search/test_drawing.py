"""Tests of the drawing of cells and of the curves: what is drawn, and that pictures come out."""

from __future__ import annotations

import pytest
from PIL import Image

from bnas_deploy.nn.genotype import LATEST_CELL, LATEST_CELL_ZEROISE
from bnas_deploy.search.curves import draw_curves
from bnas_deploy.search.drawing import arcs, draw_cells

pytest.importorskip("matplotlib")


def test_every_edge_is_an_arc_of_its_own_place():
    for cell in (LATEST_CELL.normal, LATEST_CELL.reduce, LATEST_CELL_ZEROISE.normal):
        drawn = arcs(cell)
        assert [(arc.source, arc.target) for arc in drawn] == [
            (source, 2 + j // 2) for j, (_, source) in enumerate(cell)
        ]
        assert len({(arc.source, arc.target, arc.above) for arc in drawn}) == 8


def test_zeroise_is_faint_and_the_cell_before_the_last_dotted():
    zeroise, dilated, conv = arcs(LATEST_CELL_ZEROISE.normal)[:3]
    assert zeroise.label == "Zeroise"
    assert zeroise.colour == "#BBBBBB" not in (dilated.colour, conv.colour)
    assert (dilated.label, dilated.style) == ("dil conv 3×3", ":")
    assert (conv.label, conv.style) == ("conv 3×3", "-")
    assert arcs(LATEST_CELL.reduce)[0].label == "max pool 3×3"


@pytest.mark.parametrize("skip", [True, False])
def test_the_skips_are_red(tmp_path, skip):
    draw_cells(LATEST_CELL_ZEROISE, tmp_path / "cells.png", title="γ = 1", skip=skip)
    with Image.open(tmp_path / "cells.png") as picture:
        found = picture.convert("RGB").getcolors(1 << 20)
    colours = {colour: count for count, colour in found}
    assert (colours.get((0xD6, 0x27, 0x28), 0) > 500) == skip
    assert colours[(0xBB, 0xBB, 0xBB)] > 100


@pytest.mark.parametrize("epochs", [1, 2, 40])
def test_curves(tmp_path, make_searcher, watch, epochs):
    searcher = make_searcher(epochs=1)
    searcher.run(watch())
    (row,) = searcher.progress.history
    history = [{**row, "epoch": epoch} for epoch in range(1, epochs + 1)]
    # A gamma that was added on resuming has no early values.
    history[-1] = {**history[-1], "learnable_gamma_9": 0.5, "zeroise_gamma_9": 0.0}
    draw_curves(history, 7, tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.size == (1080, 780)
