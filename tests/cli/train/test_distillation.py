"""bnas-train --teacher: from a float network to a binary one that learns from it."""

from __future__ import annotations

import json

from bnas_deploy.training.model.trained_model import load_model


def test_a_student_of_a_float_network(train, tmp_path):
    assert train("--float", "--epochs", "1", out="float")[0] == 0
    teacher = tmp_path / "float" / "model.pt"
    status, out, err = train("--teacher", str(teacher), "--json")
    assert status == 0, err
    assert "0.9 of the loss is the teacher's: Mini (float, says " in err
    said = json.loads(out)["teacher"]
    assert (said["file"], said["config"], said["binary"]) == ("model.pt", "Mini", False)
    assert load_model(tmp_path / "run" / "model.pt").training["recipe"]["distill"] == 0.9
    moved = teacher.rename(tmp_path / "teacher.pt")
    status, _, err = train("--resume", "--epochs", "3", resume=True)
    assert status == 2
    assert err.startswith("error: ")
    assert "the run's teacher" in err
    assert "is not there; say where with --teacher MODEL" in err
    status, _, err = train("--resume", "--epochs", "3", "--teacher", str(moved), resume=True)
    assert status == 0, err


def test_options_that_need_a_teacher(train, tmp_path):
    for options, message in (
        (("--distill", "0.5"), "add --teacher MODEL"),
        (("--distill-temperature", "2"), "acts with --distill above 0 only"),
        (("--teacher", str(tmp_path / "absent.pt")), "absent.pt: no such file"),
    ):
        status, _, err = train(*options)
        assert status == 2
        assert message in err
        assert not (tmp_path / "run").exists()
