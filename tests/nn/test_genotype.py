"""Tests of genotypes: the published cells, round trips, and every way to be wrong."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bnas_deploy.errors import GenotypeError
from bnas_deploy.nn.genotype import GENOTYPES, LATEST_CELL, PRIMITIVES, Genotype, get_genotype

NONE = [("none", 0)] * 8


@pytest.mark.parametrize("name", GENOTYPES)
def test_published_cells_survive_both_round_trips(name):
    genotype = get_genotype(name)
    assert Genotype.from_text(genotype.to_text()) == genotype
    assert Genotype.from_json(genotype.to_json()) == genotype
    assert Genotype.from_dict(genotype.to_dict()) == genotype


def test_latest_cell_is_that_of_the_paper():
    assert LATEST_CELL.normal[:3] == (
        ("bin_conv_3x3", 1),
        ("bin_dil_conv_3x3", 0),
        ("bin_conv_3x3", 1),
    )
    assert LATEST_CELL.cell(reduction=True)[-1] == ("bin_dil_conv_3x3", 4)


@pytest.mark.parametrize(
    ("name", "percent"), [("darts_v2", 62.5), ("snas_mild", 37.5), ("latest_cell", 0)]
)
def test_separable_convolutions_of_the_normal_cell_are_as_many_as_in_table_12(name, percent):
    # The paper prints 36.75 for SNAS, which is no share of eight edges.
    edges = GENOTYPES[name].normal
    separable = sum("_double_sep_" in primitive for primitive, _ in edges)
    assert 100 * separable / len(edges) == percent


def test_it_is_a_value():
    again = Genotype.from_dict(LATEST_CELL.to_dict())
    assert hash(again) == hash(LATEST_CELL)


def test_unknown_name_lists_the_choices():
    with pytest.raises(GenotypeError, match="latest_cell_zeroise, latest_cell"):
        get_genotype("enas")


def test_unknown_primitive_lists_the_choices():
    with pytest.raises(GenotypeError, match=r"reduce edge 3.*conv_7x7.*" + PRIMITIVES[-1]):
        Genotype(NONE, [*NONE[:3], ("conv_7x7", 0), *NONE[4:]])


@pytest.mark.parametrize(("edge", "source"), [(0, 2), (1, 2), (2, 3), (7, 5), (0, -1), (0, True)])
def test_a_state_may_only_read_earlier_states(edge, source):
    edges = list(NONE)
    edges[edge] = ("none", source)
    with pytest.raises(GenotypeError, match=rf"normal edge {edge}: state \d may read"):
        Genotype(edges, NONE)


@pytest.mark.parametrize("edges", [NONE[:7], [*NONE, ("none", 0)], "abcdefgh", None, 8])
def test_a_cell_has_eight_edges(edges):
    with pytest.raises(GenotypeError, match="normal cell has 8 edges"):
        Genotype(edges, NONE)


@pytest.mark.parametrize("edge", ["no", ("none",), ("none", 0, 1), 5])
def test_an_edge_is_a_pair(edge):
    with pytest.raises(GenotypeError, match="normal edge 0"):
        Genotype([edge, *NONE[1:]], NONE)


@pytest.mark.parametrize("value", [[], {"normal": NONE}, {"normal": NONE, "reduce": NONE, "x": 1}])
def test_from_dict_wants_exactly_two_keys(value):
    with pytest.raises(GenotypeError, match="normal and reduce"):
        Genotype.from_dict(value)


def test_from_json_wants_json():
    with pytest.raises(GenotypeError, match="does not parse"):
        Genotype.from_json("{")


@pytest.mark.parametrize("text", ["normal: none,0", "normal: (none,x)", "normal: (none 0)"])
def test_from_text_says_how_an_edge_is_written(text):
    with pytest.raises(GenotypeError, match="an edge is written"):
        Genotype.from_text(text)


@pytest.mark.parametrize("module", ["genotype", "config"])
def test_it_needs_no_torch(module):
    code = f"import sys; import bnas_deploy.nn.{module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("text", ["[" * 10**5, f"[{'1' * 5000}]"], ids=["nested", "digits"])
def test_json_that_python_cannot_hold_is_one_error(text):
    with pytest.raises(GenotypeError, match="does not parse"):
        Genotype.from_json(text)
