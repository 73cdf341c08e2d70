from __future__ import annotations

import pytest
from support.release_checkpoints import FULL, ZEROISE, release

from bnas_deploy.converters.from_release.cell import Arch, choose_cell
from bnas_deploy.converters.from_release.layout import Layout, infer_layout, looks_released
from bnas_deploy.errors import CheckpointError
from bnas_deploy.nn.genotype import GENOTYPES, LATEST_CELL, LATEST_CELL_ZEROISE, Genotype


def shapes(edges=ZEROISE, *, imagenet=False, layers=6, classes=7):
    values = release(layers, 4, edges, classes, imagenet=imagenet)
    return {name: tuple(value.shape) for name, value in values.items()}


@pytest.mark.parametrize("imagenet", [False, True])
@pytest.mark.parametrize("layers", [3, 6, 11])
def test_everything_is_read_off_the_shapes(layers, imagenet):
    found = infer_layout("w.pt", shapes(FULL, imagenet=imagenet, layers=layers))
    reductions = (layers // 3, 2 * layers // 3)
    stem = "imagenet" if imagenet else "cifar10"
    assert found == Layout(stem, layers, 4, 7, reductions, *FULL)


def test_what_looks_like_a_checkpoint():
    assert looks_released(shapes())
    assert not looks_released({"classifier.weight": 1})
    assert not looks_released([("classifier.weight", 1)])


def without(name):
    return lambda s: s.pop(name)


def with_shape(name, shape):
    return lambda s: s.update({name: shape})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("stem.op.0.weight"), "the stem of a CIFAR-10 network .*found neither"),
        (with_shape("stem1.1.weight", (4, 4, 3, 3)), "found both"),
        (without("cells.2.preprocess_res.1.weight"), r"numbers 2 and 4 .* in cells \[4\]"),
        (
            with_shape("cells.1._ops.5.op.0.weight", (4, 4, 3, 3)),
            "the normal cells differ: cells.0",
        ),
        (with_shape("cells.4._ops.0.op.0.weight", (8, 8, 3, 3)), "the reduction cells differ"),
        (with_shape("cells.9.x", (1,)), "cells.6 is missing"),
        (with_shape("cells.0._ops.1.op.0.weight", (4, 4, 3, 1)), "a square kernel"),
        (with_shape("cells.0._ops.1.op.0.weight", (4, 4)), "tensor of 4 dimensions; got shape"),
        (with_shape("classifier.weight", (0, 64)), "classifier.weight: expected a tensor of 2"),
        (without("classifier.weight"), "classifier.weight: .*got nothing"),
    ],
)
def test_what_is_no_such_network(change, message):
    found = shapes()
    change(found)
    with pytest.raises(CheckpointError, match=message):
        infer_layout("w.pt", found)


@pytest.mark.parametrize(
    ("edges", "name"), [(ZEROISE, "latest_cell_zeroise"), (FULL, "latest_cell")]
)
def test_the_one_known_cell_that_fits_is_taken(edges, name):
    arch = choose_cell("w.pt", infer_layout("w.pt", shapes(edges)), None)
    assert (arch.name, arch.genotype) == (name, GENOTYPES[name])
    assert "only known cell" in arch.how


def test_several_cells_that_fit_are_listed():
    dilated = LATEST_CELL_ZEROISE.to_text().replace("bin_dil_conv_3x3", "bin_conv_3x3")
    known = {"one": LATEST_CELL_ZEROISE, "two": Genotype.from_text(dilated), "no": LATEST_CELL}
    with pytest.raises(CheckpointError, match=r"do not tell the cell .*: one, two fit; .*--arch"):
        choose_cell("w.pt", infer_layout("w.pt", shapes()), None, known)


def test_no_known_cell_fits():
    layout = infer_layout("w.pt", shapes(({0: 5, 3: 3, 4: 3}, {})))
    message = r"none .* fits the weights: normal cells have convolutions 3x3 at edges 3, 4 and 5x5"
    with pytest.raises(CheckpointError, match=message + r" at edges 0, .* no convolution; .*FILE"):
        choose_cell("w.pt", layout, None)


def test_a_given_cell_must_fit():
    layout = infer_layout("w.pt", shapes())
    given = Arch("latest_cell", LATEST_CELL)
    message = r"--arch latest_cell does not fit: its normal cell .*; latest_cell_zeroise would fit"
    with pytest.raises(CheckpointError, match=message):
        choose_cell("w.pt", layout, given)
    text = LATEST_CELL_ZEROISE.to_text().replace("(none,1)", "(skip_connect,1)")
    with pytest.raises(CheckpointError, match="--arch own: only the seven primitives"):
        choose_cell("w.pt", layout, Arch("own", Genotype.from_text(text)))
