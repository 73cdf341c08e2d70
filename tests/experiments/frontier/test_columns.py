"""Tests of kinds of machine: which one this is, and what can be forced."""

from __future__ import annotations

import pytest

from bnas_deploy.experiments.frontier import columns
from bnas_deploy.experiments.frontier.columns import COLUMNS, here, kind_of

ZEN4 = {"avx2", "avx512bw", "avx512_vnni", "avx512_bitalg"}


@pytest.mark.parametrize(
    ("architecture", "flags", "kind"),
    [
        ("x86_64", ZEN4, "avx512-vnni"),
        ("x86_64", {*ZEN4, "amx_int8"}, "avx512-amx"),
        ("x86_64", {"avx2", "avx512bw"}, "avx512"),
        ("x86_64", {"avx2"}, "avx2"),
        ("x86_64", {"sse2"}, "scalar"),
        ("aarch64", set(), "neon"),
    ],
)
def test_the_kind_of_a_machine(architecture, flags, kind):
    assert kind_of(architecture, frozenset(flags)) == kind


def test_an_own_column_has_every_engine_and_forces_nothing():
    for column in COLUMNS.values():
        assert column.forced == ("-forced" in column.name) == bool(column.isa)
        if not column.forced:
            assert not column.environment
            assert len(column.rivals) == 6


def test_weaker_instruction_sets_are_forced_where_the_engine_has_them(monkeypatch):
    isas = {"avx512_bitalg": "supported", "avx2": "supported", "scalar": "supported"}
    monkeypatch.setattr(columns, "describe", lambda: {"isas": isas})
    monkeypatch.setattr(columns, "_flags", lambda: frozenset(ZEN4))
    monkeypatch.setattr(columns.platform, "machine", lambda: "x86_64")
    assert [c.name for c in here()] == ["avx512-vnni", "avx2-forced", "scalar-forced"]
    monkeypatch.setattr(columns, "_flags", lambda: frozenset({"avx2"}))
    assert [c.name for c in here()] == ["avx2", "scalar-forced"]
    isas["avx2"] = "lacks avx2"
    monkeypatch.setattr(columns, "_flags", lambda: frozenset({"sse2"}))
    assert [c.name for c in here()] == ["scalar"]
