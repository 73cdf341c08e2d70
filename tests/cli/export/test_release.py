"""`bnas-export` on checkpoints of the authors' release, and on files that only look like one."""

from __future__ import annotations

import json
import pickle

import pytest
import torch
from support.release_checkpoints import FULL, ZEROISE, trained

from bnas_deploy.cli.export.command import main
from bnas_deploy.format import read
from bnas_deploy.nn.genotype import LATEST_CELL_ZEROISE

QUICK = ["--backend", "reference", "--verify-images", "4", "--eight-bit", "none"]
LAYERS, CHANNELS = 4, 4


def checkpoint(classes=10, edges=ZEROISE):
    return trained(LAYERS, CHANNELS, edges, classes, imagenet=False)


@pytest.fixture
def weights_pt(tmp_path):
    torch.save(checkpoint(), tmp_path / "weights.pt")
    return tmp_path / "weights.pt"


@pytest.fixture
def small_json(tmp_path):
    """Preprocessing with pictures of 8 x 8 pixels."""
    value = {"size": [8, 8], "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}
    (tmp_path / "small.json").write_text(json.dumps(value))
    return str(tmp_path / "small.json")


def test_a_plain_state_dict_needs_no_more_than_its_name(weights_pt, capsys):
    assert main([str(weights_pt), *QUICK]) == 0
    out = capsys.readouterr().out
    assert "a state_dict of the authors' release: 4 cells, reduction cells 1 and 2, C = 4" in out
    assert "cell latest_cell_zeroise: the only known cell that fits the weights" in out
    assert "labels: cifar10 (by its stem and number of classes)" in out
    assert "preprocessing: cifar10 (by its stem), 32 x 32 pixels" in out
    assert "cell3.edge1 (conv, 9,216 bytes): one of the last two binary convolutions" in out
    model = read(weights_pt.with_suffix(".bnn"))
    assert model.labels[:2] == ("airplane", "automobile")
    assert model.preprocessing.crop == (32, 32)
    assert model.provenance["self_check"]["same_answer"] == 4
    assert model.provenance["source"]["file"] == "weights.pt"


def test_shortcuts_in_8_bits_by_default(weights_pt, small_json, capsys):
    args = ["--preprocessing", small_json, "--backend", "reference", "--verify-images", "4"]
    assert main([str(weights_pt), *args]) == 0
    out = capsys.readouterr().out
    assert "cell1.shortcut.1 (shortcut):" in out
    assert "cell3.edge1 (shortcut) stays in float: one of the last two" in out


def test_everything_can_be_given(weights_pt, small_json, tmp_path, capsys):
    names = [f"name {i}" for i in range(10)]
    (tmp_path / "names.json").write_text(json.dumps(names))
    (tmp_path / "cell.json").write_text(LATEST_CELL_ZEROISE.to_json())
    args = ["--arch", str(tmp_path / "cell.json"), "--labels", str(tmp_path / "names.json")]
    assert main([str(weights_pt), *QUICK, *args, "--preprocessing", small_json]) == 0
    assert "cell cell.json: given" in capsys.readouterr().out
    model = read(weights_pt.with_suffix(".bnn"))
    assert model.labels == tuple(names)
    assert model.preprocessing.crop == (8, 8)


def test_labels_as_lines_and_other_numbers_of_classes(tmp_path, small_json, capsys):
    torch.save(checkpoint(100), tmp_path / "w.pt")
    args = [str(tmp_path / "w.pt"), *QUICK, "--preprocessing", small_json]
    assert main(args) == 0
    assert "labels: class 0 to class 99 (give names with --labels)" in capsys.readouterr().out
    (tmp_path / "names.txt").write_text("\n".join(f"label {i}" for i in range(100)) + "\n")
    assert main([*args, "--labels", str(tmp_path / "names.txt")]) == 0
    assert read(tmp_path / "w.bnn").labels[99] == "label 99"


def test_imagenet(tmp_path, capsys):
    torch.save(trained(4, 4, FULL, 1000, imagenet=True), tmp_path / "w.pt")
    args = [str(tmp_path / "w.pt"), "--arch", "latest_cell", "--eight-bit", "none", "--no-verify"]
    assert main(args) == 0
    model = read(tmp_path / "w.bnn")
    assert (model.labels[0], model.labels[999]) == ("class 0", "class 999")
    assert (model.preprocessing.resize, model.preprocessing.crop) == (256, (224, 224))


@pytest.mark.parametrize("legacy", [False, True])
def test_wrapped_prefixed_and_old_files(tmp_path, small_json, legacy, capsys):
    value = {
        "state_dict": {f"module.{name}": v for name, v in checkpoint().items()},
        "optimizer": {"state": {}, "param_groups": []},
        "epoch": 600,
    }
    path = tmp_path / "w.pt"
    torch.save(value, path, _use_new_zipfile_serialization=not legacy)
    assert main([str(path), *QUICK, "--preprocessing", small_json, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert "ignored: optimizer (an optimizer's state, of use in training only)" in report["notes"]
    assert "ignored: epoch (a note beside the weights)" in report["notes"]
    ignored = read(path.with_suffix(".bnn")).provenance["release"]["ignored"]
    assert [entry["name"] for entry in ignored] == ["optimizer", "epoch"]


class Executed:
    def __reduce__(self):
        return (print, ("executed",))


def nan_in(name):
    def change(values):
        values[name].view(-1)[0] = float("nan")
        return values

    return change


def renamed(old, new):
    return lambda values: {(new if n == old else n): v for n, v in values.items()}


@pytest.mark.parametrize(
    ("change", "args", "message"),
    [
        (nan_in("cells.0.preprocess0.op.0.weight"), [], "numbers are NaN or infinite"),
        (renamed("classifier.bias", "head.bias"), [], "missing classifier.bias"),
        (lambda v: [v], [], "expected weights of the authors' release"),
        (lambda v: {"weights": 1}, [], "no weights of the authors' release"),
        (
            lambda v: {"net": v, "ema": v},
            [],
            "several entries hold weights of the authors' release",
        ),
        (lambda v: {"net": v, "epoch": 1}, ["--entry", "nett"], "(did you mean net?)"),
        (lambda v: v, ["--arch", "latest_cell"], "--arch latest_cell does not fit"),
        (lambda v: v, ["--arch", "gone"], "--arch: expected latest_cell_zeroise, "),
        (lambda v: v, ["--arch", "{here}/bad.json"], "--arch {here}/bad.json: a genotype's JSON"),
        (lambda v: v, ["--labels", "imagenet"], "ImageNet's 1,000 are not shipped"),
        (lambda v: v, ["--labels", "gone"], "--labels: expected cifar10, or a file of names"),
        (lambda v: v, ["--labels", "{here}/bad.json"], "--labels {here}/bad.json: not JSON"),
        (lambda v: v, ["--labels", "{here}/w.pt"], "cannot be read as text"),
        (lambda v: v, ["--preprocessing", "gone"], "expected cifar10, imagenet or a JSON file"),
        (lambda v: v, ["--preprocessing", "{here}/bad.json"], "not JSON"),
        (
            lambda v: v,
            ["--preprocessing", "{here}/odd.json"],
            "(--preprocessing) must be a multiple",
        ),
        (lambda v: v, ["--preprocessing", "{here}/oblong.json"], "expected a square size"),
    ],
)
def test_mistakes_end_as_one_line_and_write_nothing(tmp_path, change, args, message, capsys):
    torch.save(change(checkpoint()), tmp_path / "w.pt")
    (tmp_path / "bad.json").write_text("[1, 2")
    rest = {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0]}
    for name, size in (("odd", [10, 10]), ("oblong", [8, 12])):
        (tmp_path / f"{name}.json").write_text(json.dumps({"size": size, **rest}))
    args = [a.format(here=tmp_path) for a in args]
    assert main([str(tmp_path / "w.pt"), *args]) == 2
    out, err = capsys.readouterr()
    assert err.startswith("error: ")
    assert message.format(here=tmp_path) in err
    assert err.count("\n") == 1
    assert out == ""
    assert not (tmp_path / "w.bnn").exists()


def test_one_of_several_entries(tmp_path, small_json, capsys):
    other = {name: -v if name.endswith("op.0.weight") else v for name, v in checkpoint().items()}
    value = {
        "state_dict": checkpoint(),
        "state_dict_ema": {f"module.{n}": v for n, v in other.items()},
    }
    torch.save(value, tmp_path / "w.pt")
    torch.save(other, tmp_path / "other.pt")
    args = [*QUICK, "--preprocessing", small_json]
    assert main([str(tmp_path / "w.pt"), *args, "--entry", "state_dict_ema"]) == 0
    out = capsys.readouterr().out
    assert "its state_dict is the entry state_dict_ema (given)" in out
    assert "ignored: state_dict (not part of these weights" in out
    assert main([str(tmp_path / "other.pt"), *args]) == 0
    found, want = (read(tmp_path / f"{name}.bnn").tensors for name in ("w", "other"))
    assert all((found[name] == want[name]).all() for name in want)


def test_objects_of_other_types_are_named(tmp_path, capsys):
    torch.save({"state_dict": checkpoint(), "odd": Executed()}, tmp_path / "w.pt")
    assert main([str(tmp_path / "w.pt")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    first, *lines = err.splitlines()
    assert "it holds more than tensors and plain values: 'odd': __builtin__.print" in first
    assert lines[1] == f"  torch.save(value['state_dict'], '{tmp_path}/w-weights.pt')"


def test_a_bare_pickle_is_not_executed(tmp_path, capsys):
    (tmp_path / "w.pt").write_bytes(pickle.dumps({"state_dict": Executed()}))
    assert main([str(tmp_path / "w.pt")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "not a torch file of plain values" in err


def test_a_model_of_ours_takes_none_of_the_options(tmp_path, capsys):
    torch.save({"format": "bnas-deploy/model"}, tmp_path / "model.pt")
    assert main([str(tmp_path / "model.pt"), "--arch", "latest_cell"]) == 2
    assert "--arch is for a checkpoint of the authors' release" in capsys.readouterr().err
