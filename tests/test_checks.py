"""Tests of the checks of values that people and files give."""

from __future__ import annotations

import math

import pytest

from bnas_deploy.checks import checked_keys, is_of, is_within
from bnas_deploy.errors import ConfigError


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        (1, {"int", "float"}),
        (10**400, {"int", "float"}),
        (1.0, {"float"}),
        (True, {"bool"}),
        ("1", {"str"}),
        (None, set()),
        ([1], set()),
    ],
)
def test_what_is_of_a_kind(value: object, kinds: set[str]) -> None:
    assert {kind for kind in ("int", "float", "str", "bool") if is_of(value, kind)} == kinds


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400, 4, -1, True, "2", None])
def test_what_is_outside_of_limits(value: object) -> None:
    assert not is_within(value, "float", 0, 3)


def test_limits_themselves_are_inside() -> None:
    assert all(is_within(value, "int", 0, 3) for value in (0, 3))
    assert not is_within(2.0, "int", 0, 3)


def test_keys_are_named_briefly() -> None:
    found = {"a": 1, **{f"x{i}": 0 for i in range(9)}, "y" * 900: 0, 3: 0}
    with pytest.raises(ConfigError) as info:
        checked_keys("recipe", found, ["a", "b", "c"], required=["a", "b"])
    assert str(info.value) == (
        "recipe: unknown keys 3, x0, x1, x2, x3, …; missing keys b; known are a, b, c"
    )


def test_known_keys_are_returned() -> None:
    assert checked_keys("recipe", {"a": 1}, ["a", "b"]) == {"a": 1}
