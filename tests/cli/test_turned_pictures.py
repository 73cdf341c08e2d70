"""From a folder of turned photographs to a packed network: its accuracy is what training said."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.odd_pictures import turned_file

from bnas_deploy.cli.export import command as bnas_export
from bnas_deploy.cli.run import command as bnas_run
from bnas_deploy.cli.train import command as bnas_train

TURNED = 6
"""A portrait from a phone: its rows lie in the file as columns."""


@pytest.fixture
def photographs(tmp_path):
    """Two classes of portraits that differ in where the light is: above or below."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 24), ("test", 8)):
        for label, bright in (("above", slice(0, 12)), ("below", slice(12, 24))):
            folder = tmp_path / "photos" / split / label
            folder.mkdir(parents=True)
            for i in range(count):
                pixels = rng.integers(0, 120, (24, 16, 3), dtype=np.uint8)
                pixels[bright] += 120
                (folder / f"{i}.jpg").write_bytes(turned_file(pixels, TURNED, "JPEG"))
    return tmp_path / "photos"


@pytest.mark.parametrize("stream", ["off", "on"])
def test_accuracy_of_training_is_that_of_the_packed_network(photographs, tmp_path, capsys, stream):
    run = tmp_path / "run"
    small = ["--channels", "4", "--layers", "3", "--image-size", "8", "--drop-path", "0"]
    upright = ["--no-flip", "--crop-padding", "0", "--amp", "off", "--threads", "1"]
    words = ["--data", str(photographs), "--out", str(run), "--quiet", "--json"]
    length = ["--epochs", "8", "--batch", "16", "--stream", stream]
    assert bnas_train.main([*words, *small, *upright, *length]) == 0
    told = json.loads(capsys.readouterr().out)["test_accuracy"]
    assert told >= 0.9
    assert bnas_export.main([str(run / "model.pt"), "--eight-bit", "none"]) == 0
    capsys.readouterr()
    packed = ["--packed", str(run / "model.bnn"), "--evaluate", str(photographs), "--json"]
    assert bnas_run.main([*packed, "--backend", "reference"]) == 0
    assert json.loads(capsys.readouterr().out)["top_1"] == told
