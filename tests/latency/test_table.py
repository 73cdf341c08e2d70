"""Tests of latency tables: keys, files, what is covered, what is interpolated."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bnas_deploy.errors import FormatError, UsageError
from bnas_deploy.latency.keys import StepKey, step_keys
from bnas_deploy.latency.packing import pack_random
from bnas_deploy.latency.probes import probes
from bnas_deploy.latency.table import read_table, write_table

CONV_3X3 = "binary_conv2d kernel=3x3"
CONV = StepKey(CONV_3X3, "scale", 16, 16, (8, 8))


def test_a_key_is_a_line_that_is_read_back():
    assert CONV.to_text() == "binary_conv2d kernel=3x3 | scale | 16>16 | 8x8"
    assert StepKey.from_text(CONV.to_text()) == CONV
    with pytest.raises(FormatError, match="expected 'work"):
        StepKey.from_text("binary_conv2d | 16>16")


def test_weights_do_not_change_the_keys(base):
    keys = [step_keys(m.program, m.tensors) for m in (pack_random(base), pack_random(base, seed=9))]
    assert keys[0] == keys[1]


def test_comparisons_of_one_value_know_their_place(base):
    model = pack_random(base)
    details = [key.detail for key in step_keys(model.program, model.tensors)]
    assert {"1 of 2", "2 of 2", "1 of 1"} <= set(details)


def test_a_table_is_a_file_that_is_read_back(table, tmp_path):
    write_table(tmp_path / "table.json", table)
    again = read_table(tmp_path / "table.json")
    assert again == table
    assert again.steps == table.steps


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "expected bnas-deploy/latency of version 1; got other 1"),
        ({"version": 2}, "version 1; got bnas-deploy/latency 2"),
        ({"steps": {"x": 1.0}}, "expected 'work"),
        ({"steps": {CONV.to_text(): "fast"}}, "finite numbers"),
        ({"steps": None}, "no latency table"),
        ({"overhead_seconds": float("nan")}, "finite numbers"),
        ({"covers": {}}, "missing keys"),
        ({"more": 1}, "unknown keys more"),
    ],
)
def test_what_is_no_table_is_said_in_one_line(table, tmp_path, change, message):
    path = tmp_path / "table.json"
    path.write_text(json.dumps({**table.to_dict(), **change}))
    with pytest.raises(UsageError, match=message) as error:
        read_table(path)
    assert "bnas-latency measure" in str(error.value)
    assert len(error.value.lines) == 1


def test_a_missing_file(tmp_path):
    with pytest.raises(UsageError, match="no latency table"):
        read_table(tmp_path / "none.json")


def test_measured_steps_are_exact_and_others_are_between_their_neighbours(table):
    key = next(k for k in table.steps if k.inputs == k.outputs == 16 and CONV_3X3 in k.work)
    assert table.seconds(key) == (table.steps[key], True)
    seconds, exact = table.seconds(replace(key, inputs=24, outputs=24))
    assert not exact
    assert seconds == pytest.approx(table.steps[key] * (3 / 2) ** 2)


def test_a_detail_that_was_not_seen_has_the_time_of_the_others(table):
    key = next(k for k in table.steps if k.inputs == k.outputs == 16 and CONV_3X3 in k.work)
    seconds, exact = table.seconds(replace(key, detail="another"))
    assert not exact
    assert seconds == pytest.approx(table.steps[key])


def test_a_work_that_was_not_seen_is_an_error(table):
    with pytest.raises(
        UsageError, match=r"no step sigmoid \(layers in 8 bits in it: shortcut\); measure"
    ):
        table.seconds(StepKey("sigmoid", "-", 8, 8, (8, 8)))


def test_all_that_a_network_needs_and_the_table_lacks_is_named(table, base):
    table.check_covers(base)
    table.check_covers(replace(base, channels=12, widths=(12, 20, 32)), ["bin_conv_3x3"])
    other = replace(base, image_size=16, channels=64, shortcut="conv", stem="patches")
    with pytest.raises(UsageError) as error:
        table.check_covers(other, ["bin_sep_conv_3x3"])
    parts = (
        *("bin_sep_conv_3x3", "widths of 64, 128, 256 (it has 8 to 32)", "16 (it has 8)"),
        *("the shortcut, conv (it has pool1x1)", "the stem, patches (it has paper)"),
    )
    for part in parts:
        assert part in str(error.value)


def test_probes_have_each_pair_of_widths_in_each_place(base, covers):
    found = [config.stage_widths for config in probes(base, covers)]
    pairs = {(a, b) for a in covers.widths for b in covers.widths if a <= b}
    assert {(a, b) for a, b, _ in found} == pairs
    assert {(b, c) for _, b, c in found} == pairs


def test_probes_of_stems_of_two_resolutions_have_the_widths_in_both(base, covers):
    both = replace(covers, stems=("paper", "patches", "narrow"))
    found = list(probes(base, both))
    assert len(found) == 2 * len(list(probes(base, covers)))
    assert {config.stem for config in found} == {"paper", "patches", "narrow"}
