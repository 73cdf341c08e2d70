"""Targets are compared with a made-up run; what it lacks counts as not measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from reporting import targets
from reporting.results import read


def outcome(report: Path, **target: Any) -> targets.Outcome:
    return targets.outcomes(read(report), [{"number": 1, "text": "", "unit": "times", **target}])[0]


def test_ratio_takes_the_fastest_variant(report: Path) -> None:
    slow, fast = {"runner": "pytorch-float32", "zeroise": False}, {"own": True, "network": "A"}
    found = outcome(report, measure="ratio", slow=slow, fast=fast, least=100)
    assert found.reached == pytest.approx(100)
    assert found.met
    assert found.by == "native-avx512_bitalg, BNAS-A, 8 bits"


def test_ratio_without_a_rival_is_unknown(report: Path) -> None:
    found = outcome(report, measure="ratio", slow={"runner": "x"}, fast={"own": True}, least=1)
    assert (found.reached, found.met) == (None, None)


def test_share_of_the_worst_layer(report: Path) -> None:
    found = outcome(report, measure="share", layers=["3x3, 64 to 127"], least=0.6)
    assert found.reached == pytest.approx(0.4)  # "bad": 1000 / 2.5 of 1000, the slower output
    assert (found.met, found.by, found.count) == (False, "worst: bad", "1 of 2")


def test_rival_counts_packing(report: Path) -> None:
    found = outcome(report, measure="rival", layers=["3x3, 64 to 127"], least=2)
    assert found.reached == pytest.approx(2.2)  # 3.3 / (0.25 + 1.25); "bad" has no rival
    assert found.count == "1 of 1"


def test_one_output_of_layers_with_few_channels(report: Path) -> None:
    found = outcome(report, measure="share", outputs=["bits"], most_channels=64, least=0.6)
    assert found.reached == pytest.approx(0.5)  # "bad": 1000 / 2 of 1000
    assert outcome(report, measure="rival", most_channels=63, least=2).met is None


@pytest.mark.parametrize(("condition", "count"), [("has", 1), ("lacks", 0)])
def test_targets_for_other_machines_are_left_out(report: Path, condition: str, count: int) -> None:
    target = {"measure": "median", "of": {"kind": "start"}, "most": 1}
    run = read(report)
    assert len(targets.outcomes(run, [target | {condition: "avx2"}])) == count
    assert len(targets.outcomes(run, [target | {condition: "avx512bw"}])) == 1 - count


def test_share_of_a_rivals_time_names_us(report: Path) -> None:
    slow, fast = ({"kind": "small", "own": own} for own in (True, False))
    found = outcome(report, measure="ratio", slow=slow, fast=fast, most=0.6)
    assert found.reached == pytest.approx(0.5)
    assert (found.met, found.by) == (True, "packed, BNAS-Mini")


def test_ratio_of_a_statistic(report: Path) -> None:
    slow, fast = ({"kind": "threads", "threads": threads} for threads in (2, 1))
    found = outcome(report, measure="ratio", slow=slow, fast=fast, statistic="p99", most=1.1)
    assert found.reached == pytest.approx(4)


def test_layers_of_a_class_that_was_not_measured(report: Path) -> None:
    assert outcome(report, measure="share", layers=["1x1"], least=0.5).met is None


@pytest.mark.parametrize(
    ("fact", "value"), [("file_bytes", 4e6), ("working_bytes", 2e6), ("saving", 15)]
)
def test_facts(report: Path, fact: str, value: float) -> None:
    found = outcome(report, measure="fact", of={"kind": "start"}, fact=fact, most=value)
    assert found.reached == value
    assert found.met
    assert not outcome(report, measure="fact", of={"kind": "start"}, fact=fact, most=value / 2).met


def test_median(report: Path) -> None:
    assert outcome(report, measure="median", of={"kind": "start"}, most=0.01).reached == 0.02


def test_every_target_of_the_file_can_be_judged(report: Path) -> None:
    wanted = targets.read()
    assert {target["number"] for target in wanted} == set(range(1, 9))
    found = targets.outcomes(read(report), wanted)
    assert [o.target for o in found] == [t for t in wanted if "has" not in t]
    assert any(o.met for o in found)
    assert any(o.reached is None for o in found)
    assert all(o.asked > 0 for o in found)
