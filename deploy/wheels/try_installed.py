"""Tries an installed package out: names a picture with a .bnn file, in its kernels and without.

The picture is drawn here. All backends must give the same bits, from one Python thread and from
several at once. A wheel without kernels, told apart by its tag, must say how to get them.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

import bnas_deploy
from bnas_deploy.errors import BackendError

THREADS, TIMES = 4, 8


def picture() -> Image.Image:
    """Draw a sailing boat."""
    image = Image.new("RGB", (64, 64), (120, 180, 240))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 44, 64, 64), fill=(30, 80, 150))
    draw.polygon(((10, 42), (54, 42), (46, 52), (18, 52)), fill=(140, 60, 40))
    draw.polygon(((32, 8), (32, 38), (50, 38)), fill=(250, 250, 250))
    return image


def logits(path: str, backend: str) -> NDArray[np.float32]:
    """Return the answer of one backend, once threads that ask together have all got it."""
    model = bnas_deploy.load(path, backend=backend)
    image = picture()
    named = model.predict([image], top_k=3)[0]
    pixels = model.preprocess([image])
    first = model.run(pixels)
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(model.run, [pixels] * TIMES))
    if any(answer.tobytes() != first.tobytes() for answer in answers):
        sys.exit(f"{backend}: threads that ran together got other bits")
    print(f"{backend} {model.isa or ''}:", *(f"{g.label} {g.probability:.3f}" for g in named.top))
    return first


def main(path: str) -> None:
    """Compare the backends, or see what is said where there are no kernels."""
    tags = distribution("bnas-deploy").read_text("WHEEL") or ""
    print(f"Python {sys.version}\n{Path(bnas_deploy.__file__).parent}\n{tags}")
    want = logits(path, "reference")
    if "none-any" in tags:
        try:
            bnas_deploy.load(path, backend="native")
        except BackendError as error:
            print(f"native: {error}")
            return
        sys.exit("a wheel without kernels ran them")
    if logits(path, "native").tobytes() != want.tobytes():
        sys.exit("native: other bits than the reference")
    if hasattr(sys, "_is_gil_enabled"):
        print("the interpreter's lock is", "on" if sys._is_gil_enabled() else "off")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: try_installed.py model.bnn")
    main(sys.argv[1])
