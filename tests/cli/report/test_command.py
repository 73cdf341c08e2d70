"""Tests of bnas-report: a small run and its page, what it says, and the messages for mistakes."""

from __future__ import annotations

import pytest
import torch

from bnas_deploy.cli.common import entry
from bnas_deploy.cli.report.command import main
from bnas_deploy.nn.genotype import LATEST_CELL
from bnas_deploy.training.run.loop import Trainer


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def report(tmp_path, capsys):
    def run(*words):
        status = main([word.replace("OUT", str(tmp_path)) for word in words])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


SMOKE = ("--budget", "smoke", "--out", "OUT/runs", "--device", "cpu", "--threads", "1", "--quiet")


def test_run_then_render(report, tmp_path):
    (tmp_path / "cell.json").write_text(LATEST_CELL.to_json())
    status, out, err = report("run", "fig2", "--only", "bnas", "separable", *SMOKE,
                              "--cell", "separable=OUT/cell.json")  # fmt: skip
    assert status == 0, err
    assert "table12-smoke.json: 2 done, 0 failed, 6 not run" in out
    assert "[8/8] table12 bnas, seed 0" in err
    status, out, err = report("render", "--out", "OUT/docs", "--results", "OUT/runs")
    assert status == 0, err
    assert out.split() == [
        str(tmp_path / "docs" / f"{page}.md") for page in ("results", "frontier")
    ]
    assert (tmp_path / "docs" / "results.md").read_text().startswith("# Results\n")


def test_a_failed_job_gives_status_one(report, tmp_path):
    folder = tmp_path / "runs" / "table6-smoke" / "Mini-0"
    folder.mkdir(parents=True)
    (folder / "model.pt").write_text("none")
    status, out, err = report("run", "table7", *SMOKE)
    assert status == 1
    assert "0 done, 1 failed" in out
    assert "failed: " in err


def test_stopping_says_how_to_go_on(report, monkeypatch):
    monkeypatch.setattr(Trainer, "run", lambda self, observer: False)
    status, _, err = report("run", "table6", *SMOKE)
    assert status == 130
    assert "stopped; the same command goes on" in err


def test_list(report):
    status, out, _ = report("list", "--variants")
    assert status == 0
    assert "no-diversity" in out
    assert "needs cell no-diversity" in out
    assert "Table 8, Fig. 4, Fig. 9, Fig. 10" in out
    assert "computed when rendered" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "table99", *SMOKE], "unknown experiment 'table99'"),
        (["run", "table5", "table13", *SMOKE], "table5 and table13: computed when rendered"),
        (["run", "table1", "table8", "--only", "full", *SMOKE], "--only goes with a single"),
        (["run", "table8", "--only", "half", *SMOKE], "table8 has no variant half"),
        (["run", "table8", "--data", "nowhere", *SMOKE], "nowhere: no such file or folder"),
        (["run", "table8", "--cell", "x", *SMOKE], "--cell: expected NAME=FILE"),
        (["run", "table8", "--cell", "x=none.json", *SMOKE], "--cell x=none.json: cannot be read"),
        (["run", "table8", "--hours", "2", *SMOKE], "--hours: no job of table8"),
        (
            ["run", "frontier", "--hours", "2", *SMOKE],
            "no job of frontier with --budget smoke",
        ),
        (["run", "frontier", "--hours", "0", *SMOKE], "see bnas-report run --help"),
        (["run", "frontier", "--model", "none.pt", *SMOKE], "none.pt: no such file or folder"),
        (["run", "table8", "--seeds", "-1", *SMOKE], "see bnas-report run --help"),
        (["render", "--out", "OUT/docs", "--results", "OUT/no"], "expected the folder given to"),
        ([], "see bnas-report --help"),
    ],
)
def test_a_mistake_is_one_line_and_status_two(report, words, message):
    status, out, err = report(*words)
    assert status == 2
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err


def test_plots_that_are_not_installed(report, monkeypatch):
    monkeypatch.setattr("bnas_deploy.cli.common.entry.is_installed", lambda name: False)
    status, _, err = report("render", "--out", "OUT/docs")
    assert status == 2
    assert "matplotlib not installed; pip install matplotlib" in err


def test_the_frontier_needs_what_makes_the_rivals_files(report, monkeypatch):
    monkeypatch.setattr(entry, "is_installed", lambda name: name != "onnxruntime")
    status, _, err = report("run", "frontier", *SMOKE)
    assert status == 2
    assert 'onnxruntime not installed; pip install "onnx>=' in err
