"""No option of bnas-export and bnas-import is ignored: all pairs, on every kind of input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from support.onnx_models import OnnxModel
from support.option_pairs import Outcome, options_of, unexplained
from support.random_networks import random_network
from support.release_checkpoints import ZEROISE, trained

from bnas_deploy import engine
from bnas_deploy.cli.convert.paths import road_for
from bnas_deploy.cli.convert.scope import ROADS
from bnas_deploy.cli.export.command import export_parser
from bnas_deploy.cli.export.command import main as export
from bnas_deploy.cli.import_model.command import import_parser
from bnas_deploy.cli.import_model.command import main as importing
from bnas_deploy.converters.from_code import source as from_code
from bnas_deploy.converters.from_program import source as from_program
from bnas_deploy.converters.front_ends import FRONT_ENDS
from bnas_deploy.converters.packing.model_file import ModelFile
from bnas_deploy.format import Preprocessing
from bnas_deploy.training.model.trained_model import TrainedModel, save_model

COMMANDS = {"bnas-export": (export, export_parser), "bnas-import": (importing, import_parser)}
INPUTS = {
    "model.pt": ("bnas-export", ["model.pt"]),
    "checkpoint of the release": ("bnas-export", ["weights.pt", "--preprocessing", "small.json"]),
    "ONNX, exported": ("bnas-export", ["partly.onnx", "--allow-float"]),
    "ONNX, imported": ("bnas-import", ["partly.onnx", "--allow-float"]),
    "saved program": ("bnas-import", ["net.pt2", "--allow-float"]),
    "code": (
        "bnas-export",
        ["its_code:build", "--allow-float", "--input-shape", "3,8,8", "--weights", "less.pth"],
    ),
    "packed": ("bnas-export", ["packed.bnn", "--format", "onnx"]),
}
EXAMPLES = {
    "output": ("other",),
    "format": ("onnx",),
    "labels": ("cifar10",),
    "check_random": ("3",),
    "check_images": ("pictures",),
    "eight_bit": ("all",),
    "calibrate": ("pictures",),
    "backend": ("reference",),
    "threads": ("2",),
    "sign_zero": ("plus",),
    "mean": ("0.5,0.4,0.3",),
    "std": ("0.2,0.3,0.4",),
    "resize": ("9",),
    "entry": ("net",),
    "arch": ("latest_cell_zeroise",),
    "preprocessing": ("other.json",),
    "input_shape": ("3,9,9",),
    "weights": ("less.pth",),
}
CODE = """
import torch
from torch import nn

class Partly(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.binary = nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.Conv2d(8, 8, 3)
        self.last, self.classifier = nn.Conv2d(8, 8, 1), nn.Linear(8, 10)

    def forward(self, x):
        x = nn.functional.conv2d(self.stem(x).sign(), self.binary.weight.sign(), padding=1)
        return self.classifier(self.last(x.relu()).mean((2, 3)))

def build():
    torch.manual_seed(0)
    return Partly().eval()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    here = tmp_path_factory.mktemp("pairs")
    network = random_network(0, classes=10)
    size = network.config.image_size
    names = tuple(f"label {i}" for i in range(network.config.classes))
    pixels = Preprocessing(size, (size, size), (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    save_model(here / "model.pt", TrainedModel(network, pixels, names, {}))
    torch.save({"net": trained(4, 4, ZEROISE, 10, imagenet=False)}, here / "weights.pt")
    m = OnnxModel((3, 8, 8))
    x = m.add("Conv", "x", m.normal(8, 3, 3, 3), pads=[1, 1, 1, 1])
    x = m.binary(m.add("Sign", x), 8, 8)
    x = m.add("Conv", m.add("Relu", x), m.normal(8, 8, 1, 1))
    m.save(here, m.float_head(x, 8, 10)).rename(here / "partly.onnx")
    (here / "its_code.py").write_text(CODE)
    its_code: dict = {}
    exec(CODE, its_code)
    module = its_code["build"]()
    torch.export.save(torch.export.export(module, (torch.zeros(2, 3, 8, 8),)), here / "net.pt2")
    less = {name: value / 2 for name, value in module.state_dict().items()}
    torch.save({"net": less}, here / "less.pth")
    for name, std in (("small", 0.25), ("other", 0.5)):
        value = {"size": [8, 8], "mean": [0.5, 0.5, 0.5], "std": [std] * 3}
        (here / f"{name}.json").write_text(json.dumps(value))
    assert export([str(here / "model.pt"), "-o", str(here / "packed.bnn"), "--no-check"]) == 0
    (here / "pictures").mkdir()
    rng = np.random.default_rng(0)
    for i in range(2):
        pixels = rng.integers(0, 256, (9, 12, 3), np.uint8)
        Image.fromarray(pixels).save(here / "pictures" / f"{i}.png")
    return here


@pytest.fixture
def call(folder, monkeypatch, capsys):
    """Calls a command in the folder; what it writes goes into the outcome, and away."""
    monkeypatch.chdir(folder)
    created, create = [], engine.create

    def watched(model, **options):
        created.append(sorted((k, v) for k, v in options.items()))
        return create(model, **options)

    monkeypatch.setattr(engine, "create", watched)
    before = set(folder.iterdir())

    def run(main, words):
        created.clear()
        status = main(words)
        captured = capsys.readouterr()
        written = {}
        for path in set(folder.iterdir()) - before:
            written[path.name] = path.read_bytes()
            path.unlink()
        return Outcome(status, captured.err, (captured.out, written, list(created)))

    return run


@pytest.fixture
def exporting_once(monkeypatch):
    """torch.export takes a second; what it gives for the same weights and input is the same."""
    known = {}
    for module, name in ((from_program, "loaded_program"), (from_code, "exported_module")):
        first = getattr(module, name)

        def again(given, *example, first=first):
            state = getattr(given, "state_dict", dict)().values()
            key = (str(type(given)), *(x.shape for x in example), *(float(x.sum()) for x in state))
            if key not in known:
                known[key] = first(given, *example)
            return known[key]

        monkeypatch.setattr(module, name, again)


@pytest.mark.usefixtures("exporting_once")
@pytest.mark.parametrize("name", INPUTS)
def test_every_pair_of_options_acts_or_is_refused(name, call):
    command, words = INPUTS[name]
    main, parser = COMMANDS[command]
    fixed = [word[2:].replace("-", "_") for word in words if word.startswith("--")]
    options = options_of(parser(), EXAMPLES, fixed)
    plain = call(main, words)
    assert plain.status == 0, plain.error
    assert call(main, words) == plain  # or every option would seem to act
    assert list(unexplained(lambda more: call(main, [*words, *more]), options)) == []
    road = road_for(ModelFile(Path(words[0])), onnx="onnx" in words, foreign=False)
    alone = {name: call(main, [*words, *more]).status != 2 for name, more in options.items()}
    assert alone == {name: acts(name[2:].replace("-", "_"), road) for name in options}


def acts(option, road):
    """What the two tables say."""
    front_end, own = road.front_end, set().union(*(f.options for f in FRONT_ENDS))
    if option == "format" and front_end is not None and front_end.no_onnx:
        return False
    mine = front_end is None or option not in own or option in front_end.options
    return road.name in ROADS[option] and mine


def test_allow_float_acts_beside_every_option(call):
    options = options_of(import_parser(), EXAMPLES)
    for words in options.values():
        without = call(importing, ["partly.onnx", *words])
        assert without.status == (0 if "--allow-float" in words else 2)


def test_every_option_is_in_the_table():
    for _, parser in COMMANDS.values():
        names = {action.dest for action in parser()._actions} - {"help", "version"}
        assert names <= set(ROADS)
    assert set().union(*(front_end.options for front_end in FRONT_ENDS)) <= set(ROADS)


def test_the_test_sees_an_option_that_is_dropped():
    def dropping(words):
        return Outcome(0, "", tuple(w for w in words if w != "--b" or "--a" not in words))

    options = {name: (name,) for name in ("--a", "--b", "--c")}
    assert list(unexplained(dropping, options)) == ["--b beside --a: no effect"]
