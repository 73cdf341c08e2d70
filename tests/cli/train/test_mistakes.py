"""Mistakes in what bnas-train is given: one line, status 2, nothing overwritten."""

from __future__ import annotations

import sys

import pytest
from support.small_models import mean_colour_model, written

from bnas_deploy.cli.common.run_folder import locked_out


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        ("absent.pt", "absent.pt"),
        ("run/checkpoint.pt", "bnas-deploy/checkpoint"),
        ("net.bnn", "this is a .bnn file (bnas-run runs it, bnas-inspect shows it)"),
        ("run", "expected a file; this is a folder (it holds model.pt)"),
    ],
)
def test_a_model_that_cannot_be_begun_with(train, tmp_path, model, complaint):
    train("--quiet")
    written(tmp_path, mean_colour_model()).rename(tmp_path / "net.bnn")
    status, _, err = train("--init", str(tmp_path / model), out="second")
    assert status == 2
    assert complaint in err
    assert not (tmp_path / "second").exists()


def test_fewer_epochs_than_are_done(train):
    train("--quiet")
    status, _, err = train("--resume", "--epochs", "1", resume=True)
    assert status == 2
    assert "epochs must be at least 2, which are done; got 1" in err


def test_a_run_is_not_overwritten(train):
    train("--quiet")
    status, _, err = train()
    assert status == 2
    assert err.startswith("error: ")
    assert "--resume" in err


def test_a_second_run_beside_the_first(train, tmp_path):
    with locked_out(tmp_path / "run"):
        status, _, err = train()
        assert status == 2
        assert "another run is writing there" in err
        assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.parametrize("name", ["model.pt", "metrics.csv"])
def test_a_product_without_its_checkpoint_is_not_overwritten(train, tmp_path, name):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).write_text("precious")
    status, _, err = train()
    assert status == 2
    assert f"holds {name} of a run already; choose another --out" in err
    assert (tmp_path / "run" / name).read_text() == "precious"


def test_torch_that_is_not_there(train, monkeypatch):
    monkeypatch.setattr("bnas_deploy.cli.common.entry.is_installed", lambda name: False)
    status, _, err = train()
    assert status == 2
    assert 'torch and tqdm not installed; pip install "torch>=2.4" tqdm' in err


@pytest.mark.parametrize("option", ["--no-skip", "--activation-scale", "--centre-depthwise"])
def test_resume_keeps_its_scheme(train, tmp_path, option):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoint.pt").touch()
    status, _, err = train("--resume", option, resume=True)
    assert status == 2
    assert f"leave out {option}" in err


def test_tensorboard_that_is_not_there(train, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    status, _, err = train("--tensorboard")
    assert status == 2
    assert "pip install tensorboard" in err
