"""Mistakes in what bnas-search is given: one line, status 2, nothing overwritten."""

from __future__ import annotations

import pytest


def test_a_search_is_not_overwritten(search, tmp_path):
    search("--quiet", "--epochs", "1")
    status, _, err = search()
    assert status == 2
    assert "holds a search already; add --resume" in err
    (tmp_path / "run" / "checkpoint.pt").unlink()
    status, _, err = search()
    assert status == 2
    assert "holds search.json and metrics.csv and genotype-gamma-1.json" in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--preset", "huge"], "paper"),
        (["--gamma", "0"], "--gamma: expected numbers above 0 (inf: never keep Zeroise); got 0.0"),
        (["--gamma", "nan"], "--gamma: expected numbers above 0"),
        (["--cells", "2"], "search: cells must be from 3"),
        (["--lr", "fast"], "--lr"),
        (["--threads", "0"], "--threads: expected 1 to"),
        (["--data", "nowhere"], "nowhere: no such file or folder"),
        (["--seed", "-1"], "seed: expected 0 to"),
        (["--resume"], "checkpoint.pt does not exist"),
        (["--nonsense"], "see bnas-search --help"),
        (["--checkpoint-minutes", "0"], "--checkpoint-minutes: expected more than 0"),
        (["--images", "3"], "at least four training images; got 3"),
    ],
)
def test_a_mistake_is_one_line_and_status_two(search, options, message, tmp_path):
    status, out, err = search(*options)
    assert status == 2
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("out", "message"), [("f", "this is a file"), ("f/x", "cannot be made")])
def test_a_folder_that_cannot_be(search, tmp_path, out, message):
    (tmp_path / "f").write_text("")
    status, _, err = search(out=out)
    assert status == 2
    assert message in err


@pytest.mark.parametrize(
    "option",
    [["--batch", "4"], ["--no-flip"], ["--preset", "smoke"], ["--seed", "0"], ["--no-zeroise"]],
)
def test_resume_keeps_its_recipe(search, tmp_path, option):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoint.pt").touch()
    status, _, err = search("--resume", *option, resume=True)
    assert status == 2
    assert "leave out " + option[0].replace("no-", "") in err


@pytest.mark.parametrize(
    ("package", "message"),
    [
        ("torch", "torch not installed; pip install 'bnas-deploy[train]'"),
        ("matplotlib", "'bnas-deploy[plot]', or leave the pictures out with --no-pictures"),
    ],
)
def test_a_package_that_is_not_there(search, monkeypatch, package, message):
    there = lambda name: None if name == package else name  # noqa: E731
    monkeypatch.setattr("bnas_deploy.cli._main.find_spec", there)
    status, _, err = search(pictures=True)
    assert status == 2
    assert message in err
