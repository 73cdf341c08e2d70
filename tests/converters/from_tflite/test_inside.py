"""The values inside a model, by which a self-check names the layer that is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.tflite_models import TfliteNet

from bnas_deploy.converters.from_tflite.source import read
from bnas_deploy.converters.packing.model_file import ModelFile
from bnas_deploy.converters.packing.parting import first_parting

FILES = Path(__file__).parent / "files"


def source_and_images(file):
    source = read(file, allow_float=True)
    shape = source.graph.input_shape
    return source, np.random.default_rng(0).standard_normal((4, *shape)).astype(np.float32)


@pytest.mark.parametrize("name", ["larq_ones", "larq_zeros_int8", "float_mixed"])
def test_every_layer_agrees(name):
    source, images = source_and_images(ModelFile(FILES / f"{name}.tflite"))
    inside = source.original.inside
    assert len(inside.layers) > 3
    found = inside.run(images, list(inside.layers))
    shapes = source.graph.values
    for layer, value in inside.layers.items():
        assert found[layer].shape == (4, *shapes[value].shape), layer
    assert first_parting(source.graph, source.original, images) is None


def test_the_layer_that_is_wrong_is_named(tmp_path):
    def net(seed):
        made = TfliteNet(6, 4, 8)
        x = made.add("ADD", made.add("MUL", 0, made.normal(8), shape=(1, 6, 4, 8)), made.normal(8))
        made.rng = np.random.default_rng(seed)
        y = made.add(
            "CONV_2D", x, made.normal(5, 3, 3, 8), shape=(1, 6, 4, 5), StrideH=1, StrideW=1
        )
        made.rng = np.random.default_rng(9)
        return ModelFile(made.save(tmp_path / str(seed), made.head(y)))

    for seed in (1, 2):
        (tmp_path / str(seed)).mkdir()
    source, images = source_and_images(net(1))
    other, _ = source_and_images(net(2))
    mixed = replace(source, original=other.original)
    found = first_parting(mixed.graph, mixed.original, images)
    assert found.layer == "t6"
