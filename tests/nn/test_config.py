"""Tests of network configurations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bnas_deploy.errors import ConfigError
from bnas_deploy.nn.config import CONFIGS, SHORTCUTS, SMALL_CONFIGS, NetworkConfig, get_config
from bnas_deploy.nn.genotype import LATEST_CELL, LATEST_CELL_ZEROISE

PUBLISHED = {
    "Mini": (10, 24),
    "A": (20, 36),
    "B": (12, 64),
    "C": (16, 108),
    "D": (12, 64),
    "E": (12, 68),
    "F": (15, 68),
    "G": (11, 74),
    "H": (16, 128),
}


def test_the_nine_published_networks():
    assert {name: (c.layers, c.channels) for name, c in CONFIGS.items()} == PUBLISHED
    for name, config in CONFIGS.items():
        cifar = name in {"Mini", "A", "B", "C"}
        assert config.dataset == ("cifar10" if cifar else "imagenet")
        assert config.genotype == (LATEST_CELL_ZEROISE if cifar else LATEST_CELL)
        assert config.classes == (10 if cifar else 1000)


@pytest.mark.parametrize("name", CONFIGS)
def test_round_trip(name):
    assert NetworkConfig.from_dict(CONFIGS[name].to_dict()) == CONFIGS[name]


def test_a_configuration_from_before_shortcuts_has_the_papers():
    value = CONFIGS["A"].to_dict()
    assert value.pop("shortcut") == "conv"
    assert NetworkConfig.from_dict(value) == CONFIGS["A"]


@pytest.mark.parametrize("kind", SHORTCUTS)
def test_the_shortcut_is_kept(kind):
    value = {**CONFIGS["A"].to_dict(), "shortcut": kind}
    assert NetworkConfig.from_dict(value).shortcut == kind
    assert NetworkConfig.from_dict(value).to_dict() == value


@pytest.mark.parametrize(
    ("field", "default"),
    [
        ("skips", True),
        ("activation_scale", False),
        ("centre_depthwise", False),
        ("shared_norms", False),
    ],
)
def test_schemes_are_kept_and_older_configurations_have_the_papers(field, default):
    value = CONFIGS["A"].to_dict()
    changed = NetworkConfig.from_dict({**value, field: not default})
    assert getattr(changed, field) is not default
    assert changed.to_dict()[field] is not default
    assert value.pop(field) is default
    assert NetworkConfig.from_dict(value) == CONFIGS["A"]


def test_small_networks_do_their_work_on_a_quarter_of_the_pixels():
    for config in SMALL_CONFIGS.values():
        assert NetworkConfig.from_dict(config.to_dict()) == config
        assert (config.channels, config.genotype) == (48, LATEST_CELL_ZEROISE)
        assert (config.stem, config.shortcut, config.size_unit) == ("overlapping", "pool1x1", 4)
    assert SMALL_CONFIGS["Nano"].reductions == (2,)
    assert SMALL_CONFIGS["Micro"].layers == 8


def test_unknown_name_lists_the_choices():
    with pytest.raises(ConfigError, match="Mini, A, B"):
        get_config("Z")


def test_unknown_and_missing_keys_are_named():
    value = {**CONFIGS["A"].to_dict(), "depth": 3}
    del value["layers"]
    with pytest.raises(ConfigError, match="unknown keys depth; missing keys layers; known are "):
        NetworkConfig.from_dict(value)


def test_only_a_mapping_is_read():
    with pytest.raises(ConfigError, match="mapping"):
        NetworkConfig.from_dict([1])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("layers", 2),
        ("layers", 10.0),
        ("channels", 0),
        ("channels", True),
        ("classes", 0),
        ("image_size", -1),
        ("layers", 1001),
        ("channels", 16_385),
        ("classes", 1_000_001),
        ("image_size", 16_385),
        ("dataset", "mnist"),
        ("shortcut", "none"),
        ("shortcut", None),
        ("shortcut", ["conv"]),
        ("genotype", "latest_cell"),
        ("name", 3),
        ("skips", 0),
        ("activation_scale", "yes"),
        ("centre_depthwise", None),
        ("shared_norms", 1),
        ("stem", "wide"),
        ("stem", None),
        ("activation", "gelu"),
        ("activation", None),
        ("cell_activation", "relu"),
        ("reduce_at", (1, 20)),
        ("reduce_at", (-1,)),
        ("reduce_at", (2, 2)),
        ("reduce_at", (3, 1)),
        ("reduce_at", (1.0,)),
        ("reduce_at", "12"),
        ("reduce_at", 3),
        ("reduce_at", tuple(range(7))),
    ],
)
def test_impossible_values(field, value):
    with pytest.raises(ConfigError, match=field):
        replace(CONFIGS["A"], **{field: value})


def test_the_imagenet_stem_halves_the_channels():
    with pytest.raises(ConfigError, match="even"):
        replace(CONFIGS["D"], channels=33)


@pytest.mark.parametrize(("name", "size"), [("A", 30), ("A", 33), ("D", 100), ("D", 20)])
def test_sizes_that_the_reductions_cannot_halve(name, size):
    with pytest.raises(ConfigError, match=f"image_size must be a multiple of .* got {size}"):
        replace(CONFIGS[name], image_size=size)


def test_other_stems_are_for_cells_and_small_images():
    with pytest.raises(ConfigError, match="stem patches is for networks of cells"):
        replace(CONFIGS["D"], stem="patches")
    with pytest.raises(ConfigError, match="stem narrow is for networks of cells"):
        replace(CONFIGS["A"], template="stack", layers=3, stem="narrow")


def test_shifts_do_not_go_with_the_activation_scale():
    with pytest.raises(ConfigError, match="activation shift and activation_scale do not go"):
        replace(CONFIGS["A"], activation="shift", activation_scale=True)


@pytest.mark.parametrize(
    ("stem", "channels", "unit"),
    [("paper", 72, 4), ("narrow", 24, 4), ("patches", 72, 8), ("overlapping", 72, 8)],
)
def test_what_a_stem_makes_and_divides(stem, channels, unit):
    config = replace(CONFIGS["Mini"], stem=stem)
    assert (config.stem_channels, config.size_unit, config.crop_unit) == (channels, unit, unit)
    with pytest.raises(ConfigError, match=f"multiple of {unit} with the stem {stem} of cifar10"):
        replace(config, image_size=32 + unit // 2)


def test_reduction_cells_stand_at_the_thirds():
    assert CONFIGS["A"].reductions == (6, 13)
    assert CONFIGS["Mini"].reductions == (3, 6)


def test_reduction_cells_stand_where_they_are_told_to():
    config = replace(CONFIGS["Mini"], reduce_at=[1, 4, 5])
    assert config.reductions == (1, 4, 5)
    assert config.size_unit == 8
    assert NetworkConfig.from_dict(config.to_dict()) == config
    assert replace(config, layers=2, reduce_at=()).reductions == ()
    with pytest.raises(ConfigError, match="multiple of 8 with the stem paper of cifar10 and 3"):
        replace(config, image_size=36)


def test_two_cells_are_too_few_for_reductions_at_the_thirds():
    with pytest.raises(ConfigError, match=r"layers \(with reduction cells at the thirds\)"):
        replace(CONFIGS["Mini"], layers=2)


def test_the_stages_are_those_of_the_paper_unless_said_otherwise():
    config = CONFIGS["Mini"]
    assert config.stage_widths == (24, 48, 96)
    assert config.cell_channels == (24,) * 3 + (48,) * 3 + (96,) * 4
    changed = replace(config, channels=12, widths=(12, 20, 28), reduce_at=(0, 8))
    assert changed.cell_channels == (20,) * 8 + (28,) * 2
    assert replace(config, reduce_at=(), widths=(24,)).cell_channels == (24,) * 10


def test_widths_are_kept_and_older_configurations_have_the_papers():
    value = CONFIGS["Mini"].to_dict()
    assert value["widths"] == []
    changed = {**value, "widths": [24, 30, 50]}
    assert NetworkConfig.from_dict(changed).to_dict() == changed
    del value["widths"]
    assert NetworkConfig.from_dict(value) == CONFIGS["Mini"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"widths": (24, 48)}, "widths lists 3 stages, or none"),
        ({"widths": "abc"}, "widths lists 3 stages, or none"),
        ({"widths": (24, 0, 1)}, "widths .* must be an integer of at least 1"),
        ({"widths": (12, 24, 48)}, "widths: the first stage's, 12, must be channels, 24"),
        ({"widths": (24, 30, 60), "shortcut": "pool"}, "whole multiple of the one before"),
    ],
)
def test_impossible_widths(fields, message):
    with pytest.raises(ConfigError, match=message):
        replace(CONFIGS["Mini"], **fields)
