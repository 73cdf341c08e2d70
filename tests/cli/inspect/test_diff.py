"""Tests of `bnas-inspect --diff`: exit statuses, text, JSON; dumps and models."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.small_models import mean_colour_model, picture_model, written

from bnas_deploy.cli.inspect.command import main
from bnas_deploy.cli.run.command import main as run
from bnas_deploy.format.program import PackedModel
from bnas_deploy.format.steps import BinaryConv2d


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BNAS_BACKEND", "reference")
    monkeypatch.delenv("BNAS_ISA", raising=False)
    monkeypatch.chdir(tmp_path)
    for name, model in (("a", picture_model()), ("b", other_weight(picture_model()))):
        (tmp_path / name).mkdir()
        written(tmp_path / name, model)
    return tmp_path


def other_weight(model: PackedModel) -> PackedModel:
    (step,) = [s for s in model.program.steps if isinstance(s, BinaryConv2d)]
    weight = model.tensors[step.weight].copy()
    weight[2, 0] ^= np.uint64(2)
    return replace(model, tensors={**model.tensors, step.weight: weight})


def dump(model: str, folder: str, *arguments: str) -> str:
    assert run(["--packed", f"{model}/model.bnn", "--dump-layers", folder, *arguments]) == 0
    return folder


def diff(capsys: pytest.CaptureFixture[str], first: str, second: str, *options: str) -> tuple:
    capsys.readouterr()
    status = main(["--diff", first, second, *options])
    return status, *capsys.readouterr()


def test_equal_dumps(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    count = len(picture_model().program.values)
    status, out, _ = diff(capsys, dump("a", "one"), dump("a", "two"))
    assert status == 0
    assert out.splitlines() == [
        "one: backend reference, 1 images",
        "two: backend reference, 1 images",
        f"{count} of {count} values are equal to the bit",
    ]


def test_dumps_of_a_changed_weight(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = picture_model().program.steps
    (index,) = [i for i, s in enumerate(steps) if isinstance(s, BinaryConv2d)]
    name = steps[index].stages[0].output
    status, out, _ = diff(capsys, dump("a", "one"), dump("b", "two"))
    assert status == 1
    lines = out.splitlines()
    assert lines[2] == f"first difference: step {index}, value {name}"
    assert lines[4].split()[:3] == [str(index), "binary_conv2d", name]
    status, out, _ = diff(capsys, "one", "two", "--json")
    assert status == 1
    report = json.loads(out)
    assert report["equal"] is False
    assert (report["first_difference"]["step"], report["first_difference"]["name"]) == (index, name)
    before = [v["differing"] for v in report["values"] if v["step"] < index]
    assert before == [0] * len(before)


def test_dumps_of_other_networks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "c").mkdir()
    written(folder / "c", mean_colour_model())
    status, out, _ = diff(capsys, dump("a", "one"), dump("c", "two"))
    assert status == 1
    assert "is only in the first" in out


def test_models(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = diff(capsys, "a/model.bnn", "a/model.bnn")
    assert (status, out) == (
        0,
        "no difference: the same steps, tensors, labels and preprocessing\n",
    )
    status, out, _ = diff(capsys, "a/model.bnn", "b/model.bnn")
    assert status == 1
    step, tensor = out.splitlines()
    assert "(binary_conv2d, " in step
    assert step.endswith(": changed")
    assert "weight (" in tensor
    assert tensor.endswith(": 1 of 320 bits differ")
    status, out, _ = diff(capsys, "a/model.bnn", "b/model.bnn", "--json")
    assert status == 1
    (step,) = json.loads(out)["steps"]
    assert step["what"] == "changed"
    assert step["tensors"][0]["differing"] == 1


def test_models_of_other_networks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "c").mkdir()
    written(folder / "c", mean_colour_model())
    status, out, _ = diff(capsys, "a/model.bnn", "c/model.bnn")
    assert status == 1
    assert 'labels: ["airplane", ' in out
    assert ": removed" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--diff", "a", "a/model.bnn"], "compares two dumps or two models"),
        (["--diff", "a", "b"], "a: not a dump of bnas-run --dump-layers"),
        (["--diff", "a/model.bnn", "nix.bnn"], "nix.bnn: no such file"),
        (["--diff", "a/model.bnn"], "--diff"),
        (["a/model.bnn", "--diff", "a", "b"], "--diff goes with neither"),
        ([], "nothing to inspect"),
    ],
)
def test_mistakes(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1
