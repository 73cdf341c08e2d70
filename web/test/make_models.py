"""Writes what the package's tests compare with: models, inputs, pictures, and Python's answers.

Usage: make_models.py FOLDER, with bnas_deploy and tests/ on Python's path.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from support.random_networks import random_network
from support.random_programs import random_images, random_program
from support.small_backbones import small_network
from support.small_models import picture_model

import bnas_deploy
from bnas_deploy.converters import convert_network
from bnas_deploy.converters.eight_bit.facts import KINDS, EightBitOptions
from bnas_deploy.format import PackedModel, write
from bnas_deploy.runtime.model import Model

SHIPPED = Path(__file__).parents[2] / "models/bnas-mini.bnn"
PROGRAMS = 12
IMAGES = 2
PICTURES = {  # height, width, channels
    "small": (8, 8, 3),
    "tall": (61, 23, 3),
    "wide": (40, 333, 3),
    "large": (357, 480, 3),
    "clear": (50, 37, 4),
    "dot": (1, 1, 4),
}


def models() -> Iterator[tuple[str, PackedModel]]:
    """Networks of all kinds, by name, with random weights."""
    for seed in range(PROGRAMS):
        yield f"program-{seed}", random_program(np.random.default_rng([seed, 16]))
    yield "grey", picture_model(channels=1)
    yield "two-channels", picture_model(channels=2)
    yield "bireal18", convert_network(small_network("bireal18-imagenet"))[0]
    for shortcut in ("pool1x1", "conv"):
        network = random_network(0, shortcut=shortcut)
        yield f"{shortcut}-float", convert_network(network)[0]
        in_8_bits = EightBitOptions(KINDS)
        yield f"{shortcut}-8-bit", convert_network(network, eight_bit=in_8_bits)[0]


def main(folder: Path) -> None:
    """Everything, and a list of it (answers.json)."""
    folder.mkdir(parents=True, exist_ok=True)
    answers = {"shipped": answer(folder, "shipped", SHIPPED)}
    for name, packed in models():
        path = folder / f"{name}.bnn"
        write(packed, path)
        answers[name] = answer(folder, name, path)
    (folder / "answers.json").write_text(json.dumps(answers))


def answer(folder: Path, name: str, path: Path) -> dict[str, object]:
    """Writes inputs and logits of a model, and says what else Python knows of it."""
    model = bnas_deploy.load(path)
    images = random_images(np.random.default_rng(1), model.packed, IMAGES)
    images.tofile(folder / f"{name}.images")
    model.run(images).tofile(folder / f"{name}.logits")
    if path.parent != folder:
        shutil.copy(path, folder / f"{name}.bnn")
    return {
        "shape": model.input_shape,
        "labels": model.labels,
        "pictures": pictures(folder, name, model) if model.input_shape[0] in (1, 3) else [],
    }


def pictures(folder: Path, name: str, model: Model) -> list[dict[str, object]]:
    """Pictures of all shapes as RGBA, with the pixels and logits that Python makes of them."""
    known: list[dict[str, object]] = []
    for kind, shape in PICTURES.items():
        noise = np.random.default_rng(shape).integers(0, 256, shape, np.uint8)
        picture = Image.fromarray(noise)
        stem = f"{name}.{kind}"
        np.asarray(picture.convert("RGBA")).tofile(folder / f"{stem}.rgba")
        model.pixels(picture).tofile(folder / f"{stem}.pixels")
        logits = model.run(model.preprocess(picture))
        logits.tofile(folder / f"{stem}.logits")
        (prediction,) = model.rank(logits, top_k=3)
        top = [(guess.label, guess.probability) for guess in prediction.top]
        known.append({"stem": stem, "height": shape[0], "width": shape[1], "top": top})
    return known


if __name__ == "__main__":
    main(Path(sys.argv[1]))
