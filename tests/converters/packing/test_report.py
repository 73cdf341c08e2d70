from __future__ import annotations

import json

import numpy as np
import pytest
from support.random_networks import scramble

from bnas_deploy.converters import convert_network
from bnas_deploy.converters.packing.compare import compare_logits
from bnas_deploy.converters.packing.report_text import report_lines
from bnas_deploy.errors import ConversionError
from bnas_deploy.nn.config import get_config
from bnas_deploy.nn.network import build_network


@pytest.fixture(scope="module")
def mini():
    network = build_network(get_config("Mini")).eval()
    scramble(network, 0)
    return convert_network(network)


def test_the_report_of_mini(mini):
    model, report = mini
    assert report.parameters == 1_473_784
    assert report.source_bytes == 4 * report.parameters
    assert report.packed_bytes == sum(t.nbytes for t in model.tensors.values())
    assert sum(report.bytes_by_kind.values()) == report.packed_bytes
    assert len(report.zeroise) == 6 * 10
    assert report.unread == ("cell3.preprocess1", "cell6.preprocess1")
    assert {"cell3.edge2", "cell6.edge2"} <= set(report.merged)
    assert report.binary_convolutions == (36, 34)
    assert [(n.layer, n.before, n.after) for n in report.narrowed][:2] == [
        ("cell1.preprocess1", 96, 48),
        ("cell2.preprocess0", 96, 48),
    ]
    assert report.folded_batchnorms == ("cell3.shortcut.1", "cell6.shortcut.1")
    assert len(report.fused_residuals) == 14  # two in each of seven normal cells with a skip
    assert report.integer_thresholds == 16


def test_everything_in_full_precision_is_named_with_a_reason(mini):
    _, report = mini
    kept = {k.layer: k.reason for k in report.kept}
    assert list(kept) == ["stem.bn", "stem", "cell3.shortcut.1", "cell6.shortcut.1", "classifier"]
    assert "padding" in kept["stem.bn"]
    assert "shortcut" in kept["cell3.shortcut.1"]


def test_the_binary_weights_that_went_are_accounted_for(mini):
    _, report = mini
    unread = 96 * 48 + 192 * 96  # cell3.preprocess1, cell6.preprocess1
    narrowed = 48 * (3 * 24 + 48 + 9 * 48)  # three of cells 1 and 2; cell3's; cell4's is 3x3
    assert report.binary_weights == (1_089_216, 1_089_216 - unread - narrowed)


def test_the_report_is_json_and_text(mini):
    _, report = mini
    assert json.loads(json.dumps(report.to_dict()))["network"] == "Mini"
    text = "\n".join(report_lines(report))
    assert "60 edges that are Zeroise" in text
    assert "2 layers whose output is unused: cell3.preprocess1, cell6.preprocess1" in text
    assert "kept in full precision:" in text
    assert "self-check: not run" in text


def logits(seed=0, n=40):
    return np.random.default_rng(seed).normal(size=(n, 10)).astype(np.float32)


def test_equal_logits_pass():
    check = compare_logits(logits(), logits(), source="random", backend="x")
    assert (check.images, check.same_answer, check.largest_difference) == (40, 40, 0)
    assert check.clear == check.clear_same


def test_small_differences_pass_and_are_measured():
    other = logits()
    other[3, 2] += 0.01
    check = compare_logits(logits(), other, source="random", backend="x")
    assert check.largest_difference == pytest.approx(0.01, rel=1e-3)
    assert check.median_difference == 0


@pytest.mark.parametrize(
    "wrong",
    [
        logits(1),
        -logits(),
        0.8 * logits(),
        logits() * np.nan,
        np.roll(logits(), 1, axis=1),
    ],
)
def test_other_logits_fail(wrong):
    with pytest.raises(ConversionError, match="self-check failed on 40 given images"):
        compare_logits(logits(), wrong, source="given", backend="x")


def test_wrong_answers_fail_even_where_the_logits_are_near():
    expected = np.zeros((100, 2), np.float32)
    expected[:, 0] = 1
    expected[:50] *= 8  # large logits make the relative error of the others small
    wrong = expected.copy()
    wrong[99] = wrong[99, ::-1]
    assert compare_logits(expected, wrong, source="random", backend="x").clear_same == 99
    wrong[98] = wrong[98, ::-1]
    with pytest.raises(ConversionError, match="2 of 100 clear answers"):
        compare_logits(expected, wrong, source="random", backend="x")


def test_constant_logits_are_compared_absolutely():
    same = np.ones((4, 3), np.float32)
    assert compare_logits(same, same, source="random", backend="x").relative_error == 0
    with pytest.raises(ConversionError):
        compare_logits(same, same + 1, source="random", backend="x")


def test_one_class():
    one = logits()[:, :1]
    check = compare_logits(one, one, source="random", backend="x")
    assert check.same_answer == 40
