"""Tests of cells against the plain computation of every state, and of what is not computed."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from bnas_deploy.nn.cell import Cell, CellShape, drop_samples
from bnas_deploy.nn.genotype import GENOTYPES, Genotype

C = 4
POOL_OF_ZERO = Genotype(
    [
        *[("none", 0), ("none", 1)],
        *[("max_pool_3x3", 2), ("avg_pool_3x3", 2)],
        *[("bin_conv_3x3", 2), ("none", 1)],
        *[("bin_conv_5x5", 3), ("avg_pool_3x3", 0)],
    ],
    [*[("avg_pool_3x3", 1), ("avg_pool_3x3", 1)] * 2, *[("bin_dil_conv_5x5", 0), ("none", 2)] * 2],
)
"""Convolutions of zero states, two equal pools, a state that is zero because pools of zero are."""

CELLS = {
    **GENOTYPES,
    "pool_of_zero": POOL_OF_ZERO,
    "nothing": Genotype([("none", 0)] * 8, [("none", 1)] * 8),
}


def shape(**changes):
    fields = {
        "before_last": 4 * C,
        "last": 4 * C,
        "channels": C,
        "reduction": False,
        "after_reduction": False,
        "skip": True,
        "imagenet": False,
    }
    return CellShape(**{**fields, **changes})


def plain(cell, s0, s1):
    """Compute a cell as the paper describes it, leaving nothing out."""
    first, second = cell.inputs
    states = [first(s0), second(s1)]
    for node in range(4):
        pair = range(2 * node, 2 * node + 2)
        states.append(sum(cell.ops[j](states[cell.edges[j][1]]) for j in pair))
    out = torch.cat(states[2:], dim=1)
    if not cell.shape.skip:
        return out
    return out + (cell.preprocess_res(s1) if cell.shape.reduction else s1)


@pytest.mark.parametrize("genotype", CELLS)
@pytest.mark.parametrize("reduction", [False, True])
@pytest.mark.parametrize("after_reduction", [False, True])
@pytest.mark.parametrize("skip", [False, True])
def test_against_the_plain_computation(genotype, reduction, after_reduction, skip):
    torch.manual_seed(0)
    where = shape(reduction=reduction, after_reduction=after_reduction, skip=skip)
    cell = Cell(CELLS[genotype].cell(reduction=reduction), where).eval()
    s1 = torch.randn(2, 4 * C, 8, 8)
    s0 = torch.randn(2, 4 * C, 16, 16) if after_reduction else torch.randn(2, 4 * C, 8, 8)
    got, want = cell(s0, s1), plain(cell, s0, s1)
    padded = functional.pad(got, (0, 0, 0, 0, 0, 4 * C - got.shape[1]))
    assert torch.allclose(padded, want, atol=1e-5)
    if skip:
        assert got.shape == want.shape


def test_zero_states_at_the_end_are_left_out():
    cell = Cell(CELLS["latest_cell_zeroise"].normal, shape(skip=False))
    assert cell.zero_states == {4, 5}
    s = torch.randn(2, 4 * C, 8, 8)
    assert cell(s, s).shape == (2, 2 * C, 8, 8)


def test_a_short_skip_keeps_the_output_short():
    cell = Cell(CELLS["latest_cell_zeroise"].normal, shape()).eval()
    s1 = torch.randn(2, 2 * C, 8, 8)
    short = cell(s1, s1)
    full = functional.pad(s1, (0, 0, 0, 0, 0, 2 * C))
    assert short.shape[1] == 2 * C
    assert torch.allclose(short, plain(cell, full, full)[:, : 2 * C], atol=1e-5)


def test_states_that_are_zero():
    assert Cell(POOL_OF_ZERO.normal, shape()).zero_states == {2, 3}
    assert Cell(CELLS["nothing"].normal, shape()).zero_states == {2, 3, 4, 5}
    assert Cell(CELLS["latest_cell"].normal, shape()).zero_states == frozenset()


def test_an_input_that_nobody_reads_is_not_computed():
    cell = Cell(CELLS["latest_cell_zeroise"].reduce, shape(reduction=True))
    s = torch.randn(2, 4 * C, 8, 8)
    cell(s, s)
    assert cell.used_states == {0}
    assert cell.preprocess0.bn.num_batches_tracked == 1
    assert cell.preprocess1.bn.num_batches_tracked == 0


@pytest.mark.parametrize("reduction", [False, True])
def test_an_edge_from_an_input_of_a_reduction_cell_has_stride_two(reduction):
    cell = Cell(CELLS["latest_cell"].reduce, shape(reduction=reduction))
    strides = [getattr(op, "stride", None) or op.conv.stride[0] for op in cell.ops]
    assert strides == [2 if reduction and source < 2 else 1 for _, source in cell.edges]


def test_names_of_the_inputs():
    names = {name for name, _ in Cell(POOL_OF_ZERO.reduce, shape(reduction=True)).named_children()}
    assert names == {"preprocess0", "preprocess1", "preprocess_res", "_ops"}
    where = shape(reduction=True, imagenet=True)
    names = {name for name, _ in Cell(POOL_OF_ZERO.reduce, where).named_children()}
    assert names == {"preprocess0_red", "preprocess1_red", "preprocess_res", "_ops"}


def test_after_a_reduction_only_imagenet_has_affine_parameters():
    for imagenet in (False, True):
        where = shape(after_reduction=True, imagenet=imagenet)
        first, second = Cell(POOL_OF_ZERO.normal, where).inputs
        assert first.conv.kernel_size == (3, 3)
        assert first.conv.stride == (2, 2)
        assert first.bn.affine is imagenet
        assert second.bn.affine


def test_drop_path_drops_whole_samples_and_keeps_the_mean():
    torch.manual_seed(0)
    out = drop_samples(torch.ones(4000, 2, 1, 1), 0.25)
    assert torch.equal(out[:, 0], out[:, 1])
    assert out.unique().tolist() == pytest.approx([0.0, 1 / 0.75])
    assert out.mean().item() == pytest.approx(1, abs=0.05)


def test_drop_path_only_in_training():
    torch.manual_seed(0)
    cell = Cell(CELLS["latest_cell"].normal, shape())
    s = torch.randn(8, 4 * C, 8, 8)
    assert not torch.equal(cell(s, s, 0.5), cell(s, s, 0.5))
    cell.eval()
    assert torch.equal(cell(s, s, 0.5), cell(s, s))
