"""Pictures a second, from JPEG files in memory to names, against the engine alone.

The names are compared with those that one picture after the other gets. Decoding threads may use
every core; the network runs on one thread.
"""

from __future__ import annotations

import io
from functools import cache

import contest
import numpy as np
import pytest
from bench_start import SHIPPED
from PIL import Image
from pytest_benchmark.fixture import BenchmarkFixture

import bnas_deploy
from bnas_deploy.rivals.turns import Contestant, race

pytestmark = contest.replayed

ROUNDS, QUICK_ROUNDS = 20, 2
COUNT = 128
SIZES = {"32x32": (32, 32), "500x375": (500, 375)}
WORKERS = (0, 1, 2)


@pytest.fixture(autouse=True, scope="module")
def cores() -> None:
    """All cores stay allowed."""


def photos(size: tuple[int, int]) -> list[bytes]:
    """Smooth pictures in colours as JPEG."""
    noise = np.random.default_rng(20).integers(0, 256, (COUNT, 8, 8, 3), dtype=np.uint8)
    return [_jpeg(Image.fromarray(n).resize(size, Image.Resampling.BICUBIC)) for n in noise]


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG")
    return file.getvalue()


@cache
def raced(source: str, rounds: int) -> dict[str, list[float]]:
    """Seconds a picture: of the network on inputs that are ready, and of `predict` by workers."""
    model = bnas_deploy.load(SHIPPED)
    pictures = photos(SIZES[source])
    inputs = model.preprocess(pictures)
    right = [model.predict(picture)[0] for picture in pictures]
    entries = [Contestant("engine", lambda: model.run(inputs), COUNT)]
    for workers in WORKERS:
        assert model.predict(pictures, workers=workers) == right
        entries.append(
            Contestant(str(workers), lambda w=workers: model.predict(pictures, workers=w), COUNT)
        )
    return race(entries, rounds)


@pytest.mark.parametrize("way", ["engine", *map(str, WORKERS)])
@pytest.mark.parametrize("source", SIZES)
def bench_pictures(benchmark: BenchmarkFixture, source: str, way: str, quick: bool) -> None:
    seconds = raced(source, QUICK_ROUNDS if quick else ROUNDS)[way]
    workers = None if way == "engine" else int(way)
    facts = {"kind": "pictures", "source": source, "workers": workers}
    contest.report(benchmark, seconds, f"pictures/{source}", **facts)
