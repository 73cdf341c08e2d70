"""A network of grey pictures with one logit, from ONNX to answers, accuracy and reports."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from support.onnx_models import OnnxModel

from bnas_deploy.cli.import_model.command import main as importing
from bnas_deploy.cli.run.command import main as run


@pytest.fixture
def here(tmp_path, monkeypatch):
    """model.bnn tells bright pictures from dark ones; data/<class>/ has two of each."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BNAS_BACKEND", "reference")
    m = OnnxModel((1, 8, 8))
    shifted = m.add("Add", "x", np.float32([[[[-0.5]]]]))
    kernel = np.ones((1, 1, 3, 3), np.float32)
    x = m.add("Conv", m.add("Sign", shifted), kernel, pads=[1] * 4)
    weight = np.full((1, 64), 1 / 64, np.float32)
    m.save(tmp_path, m.add("Sigmoid", m.add("Gemm", m.add("Flatten", x), weight, transB=1)))
    (tmp_path / "names.txt").write_text("dark\nbright\n")
    assert importing(["model.onnx", "--allow-float", "--labels", "names.txt"]) == 0
    for i, (name, grey) in enumerate([("dark", 0), ("dark", 99), ("bright", 200), ("bright", 255)]):
        (tmp_path / "data" / name).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (grey,) * 3).save(tmp_path / "data" / name / f"{i}.png")
    return tmp_path


def test_answers_are_one_of_two_labels(here, capsys):
    capsys.readouterr()
    assert run(["--packed", "model.bnn", "data"]) == 0
    lines = sorted(capsys.readouterr().out.splitlines())
    sure = 1 / (1 + np.exp(-484 / 64))  # 22 x 22 taps lie inside
    assert [line.split(": ")[1] for line in lines] == [
        *[f"bright ({sure:.1%})"] * 2,
        *[f"dark ({sure:.1%})"] * 2,
    ]
    assert run(["--packed", "model.bnn", "data", "--json", "--top-k", "2"]) == 0
    for result in json.loads(capsys.readouterr().out)["results"]:
        assert {guess["label"] for guess in result["top"]} == {"bright", "dark"}


def test_accuracy_and_report(here, capsys):
    (here / "data" / "dark" / "1.png").rename(here / "data" / "bright" / "1.png")
    capsys.readouterr()
    words = ["--packed", "model.bnn", "--evaluate", "data", "--report", "page", "--json"]
    assert run(words) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["count"], record["top_1"]) == (4, 0.75)
    assert (here / "page" / "index.html").exists()
