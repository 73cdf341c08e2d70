"""From a .bnn file to a model that can run, and from the command to an answer.

Loading is measured in this process, with the file in the system's cache. The loaded model is
compared with the one that was written. `bnas-run` names one picture in a process of its own; its
answer is compared with the model's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import contest
import networks
import numpy as np
import pytest
from networks import Variant
from PIL import Image
from pytest_benchmark.fixture import BenchmarkFixture

import bnas_deploy
from bnas_deploy import engine
from bnas_deploy.engine.native.backend import NativeRunner
from bnas_deploy.format import write
from bnas_deploy.rivals.turns import Contestant, race

pytestmark = contest.replayed

ROUNDS, QUICK_ROUNDS = 30, 2
BYTES_PER_FLOAT = 4
SHIPPED = Path(__file__).parents[1] / "models" / "bnas-mini.bnn"
PICTURE_SIZE = (500, 375)


def float_bytes(variant: Variant) -> int:
    """Bytes of the float counterpart's parameters."""
    network = networks.build(variant, binary=False)
    return BYTES_PER_FLOAT * sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    "variant", [v for n in ("Mini", "A", "D") for v in networks.variants(n)], ids=str
)
def bench_load(benchmark: BenchmarkFixture, variant: Variant, tmp_path: Path, quick: bool) -> None:
    model = networks.packed(variant)
    path = tmp_path / "model.bnn"
    write(model, path)
    image = networks.images(networks.config(variant).image_size)
    loaded = bnas_deploy.load(path)
    np.testing.assert_array_equal(loaded.run(image), engine.create(model).run(image))
    entry = Contestant("load", lambda: bnas_deploy.load(path))
    contest.report(
        benchmark,
        race([entry], QUICK_ROUNDS if quick else ROUNDS)["load"],
        "load",
        kind="start",
        file_bytes=path.stat().st_size,
        float_bytes=float_bytes(variant),
        over_bytes=float_bytes(Variant(variant.network, zeroise=False)),
        memory=NativeRunner(model).memory(),
        **variant.facts,
    )


def photo(path: Path) -> Path:
    """Write a smooth picture in colours as JPEG."""
    noise = np.random.default_rng(20).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(noise).resize(PICTURE_SIZE, Image.Resampling.BICUBIC).save(path)
    return path


def bench_command(benchmark: BenchmarkFixture, tmp_path: Path, quick: bool) -> None:
    picture = photo(tmp_path / "photo.jpg")
    command = [sys.executable, "-c", "from bnas_deploy.cli.run.command import main; main()"]
    command += ["--packed", str(SHIPPED), str(picture), "--json"]
    # Compiled Python, as after an installation, even where this process may not write any.
    environment = os.environ | {"PYTHONPYCACHEPREFIX": str(tmp_path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def run() -> str:
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        return done.stdout

    (answer,) = json.loads(run())["results"]
    (right,) = bnas_deploy.load(SHIPPED).predict(picture)
    assert (answer["label"], answer["probability"]) == (right.label, right.probability)
    entry = Contestant("command", run)
    seconds = race([entry], QUICK_ROUNDS if quick else ROUNDS)["command"]
    contest.report(benchmark, seconds, "command", kind="command", runner="bnas-run, BNAS-Mini")
