"""A real bnas-serve on a free port, with two models and pictures.

It runs on the native kernels where there are some; the header of the test run says whether.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import contextmanager

import pytest
from PIL import Image
from support.coloured_pictures import COLOURS
from support.small_models import mean_colour_model, picture_model

from bnas_deploy.engine import available
from bnas_deploy.format import write

pytest.importorskip("fastapi")
httpx = pytest.importorskip("httpx")

BACKEND = "native" if available()["native"] is None else "reference"


@pytest.fixture(scope="session")
def shelf(tmp_path_factory):
    """A folder with colours.bnn, things.bnn and a picture a colour."""
    folder = tmp_path_factory.mktemp("serving")
    write(mean_colour_model(), folder / "colours.bnn")
    write(picture_model(), folder / "things.bnn")
    for name, colour in COLOURS.items():
        Image.new("RGB", (9, 12), colour).save(folder / f"{name}.png")
    return folder


@contextmanager
def serving(*words, backend=BACKEND):
    """Run bnas-serve; gives the process and its address. Its log must stay short: few read it."""
    command = [sys.executable, "-m", "bnas_deploy", "serve", "--port", "0", *map(str, words)]
    environment = {**os.environ, "BNAS_BACKEND": backend}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            line = process.stderr.readline()
            address = re.search(r"http://[\d.:]+", line)
            assert address, line + process.stderr.read()
            yield process, address[0]
        finally:
            process.kill()


@pytest.fixture(scope="session")
def address(shelf):
    words = ["--packed", shelf / "colours.bnn", "--packed", shelf / "things.bnn"]
    limits = ["--max-bytes", 200_000, "--max-pixels", 10_000]
    with serving(*words, *limits) as (_, address):
        yield address


@pytest.fixture
def client(address):
    with httpx.Client(base_url=address) as client:
        yield client
