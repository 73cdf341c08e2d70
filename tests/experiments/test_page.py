"""Tests of the page rendered from stored results: what is on it, and that it is repeatable."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

import pytest

from bnas_deploy.errors import DataError, UsageError
from bnas_deploy.experiments.definition import Experiment
from bnas_deploy.experiments.page.render import render
from bnas_deploy.experiments.registry import EXPERIMENTS
from bnas_deploy.experiments.results import read_results, write_results
from bnas_deploy.nn.genotype import LATEST_CELL, Genotype


def section(text, title):
    (found,) = re.findall(rf"^## [^\n]*{title}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    return found


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.fixture(scope="module")
def docs(done, tmp_path_factory):
    """A page of results that say they were made under the budget cpu."""
    made = tmp_path_factory.mktemp("made")
    for path in done.glob("*-smoke.json"):
        results = read_results(path)
        name = path.name.replace("smoke", "cpu")
        write_results(made / name, replace(results, budget="cpu"))
    out = tmp_path_factory.mktemp("docs")
    render(out, made)
    return out


@pytest.fixture(scope="module")
def page(docs):
    return (docs / "results.md").read_text(encoding="utf-8")


def test_every_experiment_has_a_section_and_a_state(page):
    for experiment in EXPERIMENTS.values():
        assert f": {experiment.title}\n" in page
        assert f"`{experiment.name}`" in page
    states = {cells(line)[2]: cells(line)[3] for line in page.splitlines() if line.startswith("|")
              and "`" in line and len(cells(line)) == 4}  # fmt: skip
    assert states["`table12`"] == "not run"
    assert states["`table13`"] == "computed, exact"
    assert states["`table8`"] == "cpu: 3 done, 1 not run"


def test_the_papers_value_stands_beside_ours(page, done):
    rows = [cells(line) for line in section(page, "Ablations").splitlines() if line[:1] == "|"]
    table = {row[0]: row[1:] for row in rows}
    (job,) = read_results(done / "table8-smoke.json").of("No Skip".lower().replace(" ", "-"))
    ours = f"{100 * job.metrics['test_accuracy']:.2f}"
    assert table["No Skip"][:2] == ["61.23 (A), 67.15 (B), 70.58 (C)", ours]
    assert table["No Diversity"][1] == "not run"


def test_the_budget_is_stated(page):
    text = section(page, "Ablations")
    assert "### Budget `cpu`" in text
    assert "3 cells, 4 channels; 2 epochs, batch 16" in text
    assert "Seeds 0;" in text
    assert "needs cell no-diversity: `no-diversity` (seed 0)" in text.replace("\n  ", " ")


def test_what_was_not_run_shows_the_paper_alone(page):
    text = section(page, "Float cells, binarized; separable convolutions")
    assert "**Not run.** The paper's values:" in text
    assert re.search(r"\| DARTS, binarized +\| 10\.01 +\| not run", text)


def test_what_was_not_run_and_the_paper_does_not_have_shows_its_variants(page):
    assert "**Not run.** Its variants:" in section(page, "Recipes of one cost")


def test_the_shortcuts_table(page):
    text = section(page, "The shortcut question")
    rows = {cells(line)[0]: cells(line) for line in text.splitlines() if line[:1] == "|"}
    assert rows["conv"][3:6] == ["4.068", "14.9×", "0.988"]
    assert rows["pool"][4] == "81.0×"
    assert rows["pool1x1, 8 bits"][1] == "-"
    assert all(re.fullmatch(r"\d+\.\d{3} ± \d+\.\d{3}", rows[name][6]) for name in ("conv", "pool"))


def test_cells_that_were_given_are_known_again(smoke, tmp_path):
    edges = (("bin_sep_conv_3x3", 0), *LATEST_CELL.normal[1:])
    cell = Genotype(edges, LATEST_CELL.reduce)
    results = smoke("table12", tmp_path, only=("separable",), cells={"separable": cell})
    write_results(tmp_path / "table12-cpu.json", replace(results, budget="cpu"))
    text = render(tmp_path, tmp_path)[0].read_text(encoding="utf-8")
    (row,) = [line for line in text.splitlines() if "BNAS-A with separable" in line]
    assert cells(row)[-2:] == ["12.50", "12.5 / 0.0"]


def test_pictures_are_there_and_shown(docs, page):
    shown = re.findall(r"!\[\w+\]\((results/[\w-]+\.svg)\)", page)
    assert len(shown) == 5
    for file in shown:
        assert (docs / file).read_text(encoding="utf-8").startswith("<?xml")


def test_lines_are_wrapped_and_tables_even(page):
    for line in page.splitlines():
        assert line == line.rstrip()
        assert line.startswith("|") or len(line) <= 110


def test_rendering_again_changes_nothing(docs, page):
    pictures = {path: path.read_bytes() for path in docs.rglob("*.svg")}
    render(docs)
    assert (docs / "results.md").read_text(encoding="utf-8") == page
    assert {path: path.read_bytes() for path in docs.rglob("*.svg")} == pictures


def test_smoke_results_are_not_stored(done, tmp_path):
    page = render(tmp_path, done)[0].read_text(encoding="utf-8")
    assert list((tmp_path / "results").iterdir()) == []
    trained = sum(isinstance(experiment, Experiment) for experiment in EXPERIMENTS.values())
    assert page.count("**Not run.**") == trained


def test_results_that_are_none(tmp_path, docs):
    with pytest.raises(UsageError, match="expected the folder given to bnas-report run --out"):
        render(tmp_path, tmp_path / "nowhere")
    shutil.copytree(docs / "results", tmp_path / "results", dirs_exist_ok=True)
    (tmp_path / "results" / "table8-cpu.json").write_text("{}")
    with pytest.raises(DataError, match=r"table8-cpu\.json"):
        render(tmp_path)
