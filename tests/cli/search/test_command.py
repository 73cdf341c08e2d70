"""Tests of bnas-search: a small search, resuming, mistakes, and on to a packed network."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import bnas_deploy
from bnas_deploy.checkpoints.torch_file import load_plain
from bnas_deploy.cli.export import command as export
from bnas_deploy.cli.search.command import main
from bnas_deploy.cli.search.parser import RECIPE_HELP
from bnas_deploy.cli.train import command as train
from bnas_deploy.nn.genotype import Genotype
from bnas_deploy.search import space
from bnas_deploy.search.loop import Searcher
from bnas_deploy.search.recipe import SearchRecipe
from bnas_deploy.training.model.trained_model import load_model

SMALL = ["--cells", "3", "--channels", "2", "--image-size", "8", "--epochs", "2", "--batch", "4"]
PICTURES = ["cells-gamma-1.png", "cells-gamma-3.png", "curves.png"]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def timeless(folder):
    account = json.loads((folder / "search.json").read_text())
    rows = [{**row, "seconds": 0} for row in account["history"]]
    return rows, account["probabilities"], account["cells_of_epochs"]


def test_from_images_to_a_packed_network_that_agrees(search, images, tmp_path, capsys):
    status, out, err = search("--json", "--gamma", "1", "inf", "--arch-lr", "0.01", pictures=True)
    assert status == 0, err
    cells = json.loads(out)["cells"]
    assert set(cells) == {"1", "inf"}
    found = cells["inf"]["file"]
    genotype = Genotype.from_json(Path(found).read_text(encoding="utf-8"))
    assert genotype == Genotype.from_dict({k: cells["inf"][k] for k in ("normal", "reduce")})

    model = tmp_path / "trained" / "model.pt"
    small = ["--channels", "4", "--layers", "3", "--image-size", "8", "--epochs", "2"]
    words = ["--data", str(images), "--out", str(model.parent), "--genotype", found, *small]
    assert train.main([*words, "--batch", "4", "--drop-path", "0", "--amp", "off"]) == 0
    assert load_model(model).config.genotype == genotype
    packed = tmp_path / "model.bnn"
    assert export.main([str(model), "-o", str(packed), "--backend", "reference"]) == 0
    capsys.readouterr()

    batch = np.random.default_rng(1).random((5, 3, 8, 8), np.float32)
    logits = bnas_deploy.load(packed, backend="reference").run(batch)
    assert logits.shape == (5, 2)
    np.testing.assert_array_equal(bnas_deploy.load(packed).run(batch), logits)


def test_what_a_search_leaves(search, tmp_path):
    status, out, err = search(pictures=True)
    assert status == 0
    assert out.startswith("gamma 1:\nnormal: (")
    assert err.startswith("supernet: 3 cells of 7 primitives an edge")
    assert "epoch 2/2: loss" in err
    folder = tmp_path / "run"
    assert names(folder) == [
        *PICTURES[:2],
        "checkpoint.pt",
        PICTURES[2],
        *(f"genotype-gamma-{gamma}.json" for gamma in (1, 3)),
        *("metrics.csv", "search.json"),
    ]
    for name in PICTURES:
        with Image.open(folder / name) as picture:
            assert min(picture.size) > 500
    account = json.loads((folder / "search.json").read_text())
    assert account["dataset"] == "colours"
    assert (account["epochs"], account["seed"], account["images"]) == (2, 0, 24)
    assert account["recipe"] == SearchRecipe.from_dict(account["recipe"]).to_dict()
    assert np.array(account["probabilities"]["reduce"]).sum(1) == pytest.approx([1.0] * 14)
    for gamma, cell in account["cells"].items():
        genotype = Genotype.from_json((folder / f"genotype-gamma-{gamma}.json").read_text())
        assert genotype.to_dict() == {"normal": cell["normal"], "reduce": cell["reduce"]}
        assert account["cells_of_epochs"][-1][gamma] == genotype.to_text()
    with (folder / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert {"search_accuracy", "entropy_normal", "learnable_gamma_3"} <= set(rows[0])


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM to send")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_a_checkpoint_that_resumes_bit_for_bit(
    search, tmp_path, number, monkeypatch
):
    before = signal.getsignal(signal.SIGINT)
    assert search("--quiet", out="straight")[0] == 0
    step = Searcher._step

    def step_with_a_signal(searcher, *batches):
        if searcher.progress.step == 1:
            os.kill(os.getpid(), number)
        step(searcher, *batches)

    with monkeypatch.context() as patch:
        patch.setattr(Searcher, "_step", step_with_a_signal)
        status, out, err = search()
    assert (status, out) == (130, "")
    assert "stopped; go on with: bnas-search --data " in err
    assert f"--out {tmp_path / 'run'} --resume --amp off\n" in err
    progress = load_plain(tmp_path / "run" / "checkpoint.pt")["progress"]
    assert (progress["epoch"], progress["step"]) == (0, 2)
    assert search("--quiet", "--resume", resume=True)[0] == 0
    assert timeless(tmp_path / "run") == timeless(tmp_path / "straight")
    assert signal.getsignal(signal.SIGINT) is before


def test_a_kill_is_resumed_bit_for_bit(search, tmp_path, images):
    assert search("--quiet", out="straight")[0] == 0
    # A process that dies in the first step of the second epoch, without a chance to save.
    code = (
        "import os, sys; from bnas_deploy.cli.search.command import main\n"
        "from bnas_deploy.search.loop import Searcher\n"
        "step = Searcher._step\n"
        "def dying(self, *batches):\n"
        "    if self.progress.epoch: os.kill(os.getpid(), 9)\n"
        "    step(self, *batches)\n"
        "Searcher._step = dying; main(sys.argv[1:])"
    )
    words = ["--data", str(images), "--out", str(tmp_path / "run"), "--amp", "off", "--quiet"]
    words += ["--threads", "1", "--no-pictures", *SMALL]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert load_plain(tmp_path / "run" / "checkpoint.pt")["progress"]["epoch"] == 1
    assert search("--quiet", "--resume", resume=True)[0] == 0
    assert timeless(tmp_path / "run") == timeless(tmp_path / "straight")


def test_a_finished_search_gives_the_cells_of_further_gammas(search, tmp_path):
    search("--quiet", "--gamma", "1")
    assert "genotype-gamma-inf.json" not in names(tmp_path / "run")
    assert search("--quiet", "--resume", "--gamma", "0.5", "inf", resume=True)[0] == 0
    kept = {"genotype-gamma-0.5.json", "genotype-gamma-1.json", "genotype-gamma-inf.json"}
    assert kept <= set(names(tmp_path / "run"))
    text = (tmp_path / "run" / "genotype-gamma-inf.json").read_text()
    assert "none" not in text


def test_resume_goes_on_to_a_new_length(search, tmp_path):
    search("--quiet")
    assert search("--quiet", "--resume", "--epochs", "3", "--lr", "0.5", resume=True)[0] == 0
    account = json.loads((tmp_path / "run" / "search.json").read_text())
    assert [row["epoch"] for row in account["history"]] == [1, 2, 3]
    assert (account["recipe"]["epochs"], account["recipe"]["lr"]) == (3, 0.5)


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        (["--no-zeroise"], "none"),
        (["--no-dilated"], "bin_dil_conv_3x3"),
        (["--diversity", "0", "--no-skip"], "nothing"),
    ],
)
def test_ablations(search, tmp_path, options, missing):
    assert search("--quiet", "--epochs", "1", *options)[0] == 0
    account = json.loads((tmp_path / "run" / "search.json").read_text())
    assert missing not in account["space"]
    assert missing not in (tmp_path / "run" / "genotype-gamma-1.json").read_text()
    assert account["recipe"]["skip"] == ("--no-skip" not in options)
    assert (account["history"][0]["diversity_weight"] == 0) == ("--diversity" in options)


def test_separable_convolutions_that_are_not_registered(search, monkeypatch):
    monkeypatch.setattr(space, "PRIMITIVES", space.PAPER_SPACE)
    status, _, err = search("--separable")
    assert status == 2
    assert "error: --separable: the primitives bin_sep_conv_3x3 and" in err


@pytest.mark.skipif(
    not set(space.SEPARABLE) <= set(space.PRIMITIVES), reason="no separable primitives here"
)
def test_separable_convolutions(search, tmp_path):
    assert search("--quiet", "--separable", "--epochs", "1")[0] == 0
    account = json.loads((tmp_path / "run" / "search.json").read_text())
    assert account["space"][-2:] == list(space.SEPARABLE)


@pytest.mark.parametrize(
    ("epoch", "advice"),
    [
        (0, "no checkpoint was written yet"),
        (1, "the last good checkpoint is {}/checkpoint.pt: go on from it with --resume --lr N"),
    ],
)
def test_a_loss_that_is_not_a_number(search, tmp_path, monkeypatch, epoch, advice):
    step = Searcher._step

    def spoiled_step(searcher, *batches):
        if searcher.progress.epoch == epoch:
            searcher.supernet.cells[1].preprocess0.conv.weight.data.fill_(float("nan"))
        step(searcher, *batches)

    monkeypatch.setattr(Searcher, "_step", spoiled_step)
    status, _, err = search()
    assert status == 2
    assert f"nan in the architecture step of epoch {epoch + 1}, step 1; first not finite:" in err
    assert "the output of cells.1.preprocess0" in err
    assert "(cells.1.preprocess0.op.0.weight is not finite)" in err
    assert advice.format(tmp_path / "run") in err


def test_without_matplotlib_and_pictures(search, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert search("--quiet", "--epochs", "1")[0] == 0
    assert not set(names(tmp_path / "run")) & set(PICTURES)


def test_the_preset_and_options_over_it(search, tmp_path):
    search("--quiet", "--preset", "smoke", "--epochs", "1", "--no-flip")
    recipe = json.loads((tmp_path / "run" / "search.json").read_text())["recipe"]
    assert (recipe["arch_lr"], recipe["epochs"], recipe["flip"]) == (3e-3, 1, False)


def test_help_teaches(capsys):
    with pytest.raises(SystemExit) as info:
        main(["--help"])
    assert info.value.code == 0
    text = capsys.readouterr().out
    assert "examples:" in text
    assert "--no-zeroise" in text
    assert "bnas-train --data" in text
    assert set(RECIPE_HELP) == {field.name for field in fields(SearchRecipe)}


def test_help_does_not_wait_for_torch():
    code = "import sys; import bnas_deploy.cli.search.command; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
