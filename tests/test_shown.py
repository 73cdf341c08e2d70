"""Tests of texts in messages: safe ones, values, names that are nearly right."""

from __future__ import annotations

import pytest

from bnas_deploy import engine
from bnas_deploy.errors import BnasError
from bnas_deploy.experiments.registry import find
from bnas_deploy.networks.config import find_config
from bnas_deploy.nn.config import get_config
from bnas_deploy.nn.genotype import GENOTYPES, get_genotype
from bnas_deploy.shown import found_name, nearest, safe, shown, unknown_name
from bnas_deploy.training.recipes.recipe import Recipe

NAMES = ("Mini", "A", "bireal18", "table1")


def test_a_name_is_found_whatever_its_case() -> None:
    assert found_name("mini", NAMES) == found_name("Mini", NAMES) == "Mini"
    assert found_name("MIN", NAMES) is None
    assert found_name("a", ("a", "A")) == "a"
    assert found_name("X", ("x", "y", "X ")) == "x"
    assert found_name("aB", ("ab", "AB")) is None


def test_the_nearest_name() -> None:
    assert nearest("Minni", NAMES) == nearest("mini", NAMES) == " (did you mean Mini?)"
    assert nearest("birael18", NAMES) == " (did you mean bireal18?)"
    assert nearest("nonsense", NAMES) == ""
    assert unknown_name("network", "Mni", ("Mini", "A")) == (
        "unknown network 'Mni' (did you mean Mini?); choose one of Mini, A"
    )


def test_text_is_safe_and_values_are_short() -> None:
    assert safe("a\x1b[31m\n\udcff") == r"a\x1b[31m\n\udcff"
    assert len(shown("x" * 1000)) < 50
    assert shown(10**5000) == "a int of too many digits"


@pytest.mark.parametrize("find_it", [find_config, get_config])
def test_networks_by_name(find_it: object) -> None:
    assert find_it("mini") is find_it("Mini")
    with pytest.raises(BnasError, match=r"did you mean Mini\?"):
        find_it("minni")


def test_other_names_suggest_the_nearest() -> None:
    name = next(iter(GENOTYPES))
    assert get_genotype(name.upper()) is get_genotype(name)
    with pytest.raises(BnasError, match=rf"did you mean {name}\?"):
        get_genotype(name[:-1])
    with pytest.raises(BnasError, match=r"did you mean table11\?"):
        find("tabel11")
    with pytest.raises(BnasError, match=r"did you mean numba\?"):
        engine.create(None, backend="nubma")
    with pytest.raises(BnasError, match=r"unknown keys epoch \(did you mean epochs\?\)"):
        Recipe.from_dict({"epoch": 3})
