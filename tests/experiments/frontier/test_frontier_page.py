"""Tests of the frontier's page: machines side by side, targets judged, sources stated."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bnas_deploy.errors import DataError
from bnas_deploy.experiments.frontier.machine_file import read_all, read_machine, write_machine
from bnas_deploy.experiments.frontier.points import Point
from bnas_deploy.experiments.frontier.published import PUBLISHED, SOURCES
from bnas_deploy.experiments.page.frontier import render_frontier, store_machines
from bnas_deploy.experiments.page.frontier_dots import milliseconds, trained_dots
from bnas_deploy.experiments.page.frontier_tables import target_table
from bnas_deploy.experiments.page.render import render
from bnas_deploy.experiments.results import read_results, write_results


@pytest.fixture
def docs(machine, ran, tmp_path):
    """Two kinds of machine, and the trainings of the smoke run."""
    for column in ("avx512-vnni", "scalar-forced"):
        rivals = () if column == "scalar-forced" else ("openvino-float32", "openvino-int8")
        write_machine(tmp_path / "frontier" / f"{column}.json", machine(column, rivals))
    results = read_results(ran[0] / "frontier-smoke.json")
    render_frontier(tmp_path, [replace(results, budget="cpu")])
    return tmp_path


@pytest.fixture
def page(docs):
    return (docs / "frontier.md").read_text(encoding="utf-8")


def rows(text):
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_published_accuracy_has_a_source():
    assert all((p.accuracy is None) == (p.source == "") for p in PUBLISHED)
    assert {p.source for p in PUBLISHED if p.source} == set(SOURCES)
    assert len({p.key for p in PUBLISHED}) == len(PUBLISHED)


def test_kinds_of_machine_stand_side_by_side(page):
    assert page.index("### AVX-512 with VNNI") < page.index("### no vector instructions, forced")
    table = rows(page)
    assert ["BNAS-A, `pool1x1`", "92.70", "0.300", "0.120 ± 0.010"] in table
    resnet = ["ResNet-20", "91.25", "1.000", "0.300", "0.412 ± 0.010", "0.206 ± 0.010"]
    assert resnet in table


def test_a_target_is_judged_against_rivals_that_are_as_accurate(machine):
    found = {row[0]: row[1:] for row in target_table(machine("avx512-vnni")).rows}
    mini = found["BNAS-Mini, `pool1x1`"]
    assert mini[1] == "MobileNetV2 ×0.5, OpenVINO int8"  # of no blocks more than published
    assert mini[3:] == ("1.84×", "1.6×, reached")
    assert found["BNAS-B, `pool1x1`"][1] == "MobileNetV2 ×1.0, OpenVINO int8"
    alone = {row[0]: row[1:] for row in target_table(machine("scalar-forced", ())).rows}
    assert alone["BNAS-Mini, `pool1x1`"][1:] == ("none is measured here", "-", "-", "-")


def test_a_missed_target_is_said(machine):
    found = machine("avx2-forced")
    for facts in found.networks.values():
        if facts["binary"]:
            facts["times"]["packed"]["ms"] = 1.0
    row = target_table(found).rows[0]
    assert row[-2:] == ("0.20×", "2.0×, missed")


def test_counterparts_have_a_table_of_their_own(page):
    text = page[page.index("## Float counterparts") : page.index("## How it is measured")]
    assert "no rival" in text
    (row,) = [row for row in rows(text) if row[0] == "BNAS-Mini, `pool1x1`"]
    assert row[2] == "0.44 (OpenVINO float32)"
    assert row[3] == "4.0×"


def test_trained_networks_have_their_hours(page):
    text = page[page.index("## As trained here") : page.index("## Float counterparts")]
    table = {row[0]: row for row in rows(text)}
    assert re.fullmatch(r"0\.0\d", table["mini"][1])
    assert re.fullmatch(r"\d+\.\d\d", table["resnet8"][3])


def test_a_trained_network_finds_its_time_by_its_architecture(ran, tmp_path):
    results = read_results(ran[0] / "frontier-smoke.json")
    for found in read_all(ran[0] / "frontier-smoke" / "machines"):
        write_machine(tmp_path / "frontier" / f"{found.column}.json", found)
    text = render_frontier(tmp_path, [replace(results, budget="cpu")]).read_text()
    table = {row[0]: row for row in rows(text[text.index("## As trained here") :])}
    for name in ("mini", "resnet8"):
        assert re.fullmatch(r"\d\.\d{3}", table[name][4])
        assert re.fullmatch(r"\d+\.\d{3} ± \d\.\d{3}", table[name][5])
    assert "frontier/trained-latency.svg" in text


def test_what_cannot_be_forced_or_was_left_out_is_said(page):
    text = " ".join(page.split())
    assert "ONNX Runtime and LiteRT choose by the processor and have no setting for it" in text
    assert "litert-int8 on ResNet-8, ResNet-14" in text
    assert "ai_edge_litert is not installed" in text
    assert "at least OpenVINO int8 0.95" in text
    assert "kernels of OpenVINO int8: jit_openvino-int8" in text


def test_pictures_are_there(docs, page):
    shown = re.findall(r"!\[[\w ]+\]\((frontier/[\w-]+\.svg)\)", page)
    assert "frontier/published-latency.svg" in shown
    assert "frontier/published-bytes.svg" in shown
    for file in shown:
        assert (docs / file).read_text(encoding="utf-8").startswith("<?xml")


def test_points_have_their_hours(machine):
    (network,) = [p for p in PUBLISHED if p.key == "resnet8"]
    point = Point("mine", network.config.to_dict(), False, {"hours": 0.0}, (1.9, 2.1), (), (0.8,))
    (dot,) = trained_dots([point], machine("avx2"), milliseconds)
    assert (dot.label, dot.accuracy, dot.family) == ("mine, 2.0 h", 80.0, "float networks, int8")
    timed = replace(point, name="resnet8-2h", recipe={"hours": 2.0})
    assert trained_dots([timed], machine("avx2"), milliseconds)[0].label == "resnet8-2h"


def test_lines_are_wrapped(page):
    for line in page.splitlines():
        assert line == line.rstrip()
        assert line.startswith("|") or len(line) <= 110 or "](" in line


def test_a_machine_of_another_kind_overwrites_nothing(machine, tmp_path):
    first, second = tmp_path / "first" / "frontier-cpu", tmp_path / "second" / "frontier-cpu"
    write_machine(first / "machines" / "avx2.json", machine("avx2", cpu="old"))
    write_machine(second / "machines" / "avx512-amx.json", machine("avx512-amx", cpu="new"))
    for run in (first, second):
        store_machines(run.parent, tmp_path / "docs", "frontier-cpu")
    found = read_all(tmp_path / "docs" / "frontier")
    assert [(m.column, m.machine["cpu"]) for m in found] == [("avx512-amx", "new"), ("avx2", "old")]


def test_render_writes_both_pages(machine, ran, tmp_path):
    results = read_results(ran[0] / "frontier-smoke.json")
    write_results(tmp_path / "runs" / "frontier-cpu.json", replace(results, budget="cpu"))
    machines = tmp_path / "runs" / "frontier-cpu" / "machines"
    write_machine(machines / "avx2.json", machine("avx2"))
    pages = render(tmp_path / "docs", tmp_path / "runs")
    assert [page.name for page in pages] == ["results.md", "frontier.md"]
    assert "### AVX2\n" in pages[1].read_text()
    assert "[frontier.md](frontier.md)" in " ".join(pages[0].read_text().split())


def test_without_results_the_page_says_so(tmp_path):
    page = render_frontier(tmp_path, []).read_text()
    assert "**Not run.**" in page


@pytest.mark.parametrize("text", ["{}", "[", '{"format": "bnas-deploy/results", "version": 1}'])
def test_files_that_are_none(tmp_path, text):
    (tmp_path / "avx2.json").write_text(text)
    with pytest.raises(DataError, match=r"avx2\.json"):
        read_machine(tmp_path / "avx2.json")
