"""Files that larq's and TensorFlow's converters wrote, against what their interpreters said.

`make_files.py` made them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bnas_deploy import engine
from bnas_deploy.converters.from_tflite.file.names import layer_name
from bnas_deploy.converters.from_tflite.file.read import read_tflite
from bnas_deploy.converters.from_tflite.source import read
from bnas_deploy.converters.packing.convert import convert_source
from bnas_deploy.converters.packing.model_file import ModelFile

FOLDER = Path(__file__).parent / "files"
BINARY = {"larq_ones": (4, 4), "larq_zeros": (2, 2), "plain_zeros": (2, 2)}


def reals(numbers, tensor):
    """Whole numbers as the reals that they stand for."""
    if tensor.steps is None:
        return numbers
    return ((numbers.astype(np.float32) - tensor.steps.zero) * tensor.steps.scale).astype(
        np.float32
    )


def answers(name):
    """Packed outputs, and those of the interpreter; softmaxes are left out of the former."""
    file = ModelFile(FOLDER / f"{name}.tflite")
    stored, stated = np.load(FOLDER / f"{name}.npz"), read_tflite(file)
    inputs = reals(stored["inputs"], stated.tensors[stated.input])
    outputs = reals(stored["outputs"], stated.tensors[stated.output]).reshape(len(inputs), -1)
    source = read(file, allow_float=True)
    model, report = convert_source(source)
    images = source.arranged(inputs)
    assert np.allclose(source.original.logits(images), engine.create(model).run(images), atol=1e-5)
    return model, report, engine.create(model).run(images), outputs


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    "name", ["larq_ones", "larq_zeros", "plain_zeros", "float_float", "float_mixed"]
)
def test_floats_and_bits(name):
    _, report, got, wanted = answers(name)
    got = softmax(got) if name == "larq_ones" else got
    assert np.abs(got - wanted).max() < 2e-6 * wanted.std()
    assert report.summary()["binary_convolutions"] == BINARY.get(name, (0, 0))


def test_weights_in_float16():
    _, _, got, wanted = answers("float_float16")
    assert np.abs(got - wanted).max() < 1e-6


@pytest.mark.parametrize("name", ["float_int8", "larq_zeros_int8"])
def test_eight_bits_are_floats_without_roundings(name):
    _, report, got, wanted = answers(name)
    steps = read_tflite(ModelFile(FOLDER / f"{name}.tflite")).tensors[-1].steps
    assert np.abs(got - wanted).max() < 2 * steps.scale
    assert any("in 8 bits and more: in float32" in note for note in report.notes)


def test_eight_bits_before_signs():
    # Of these four images one has a sign that a rounding turns.
    _, _, got, wanted = answers("larq_ones_int8")
    away = np.abs(softmax(got) - wanted).max(axis=1)
    assert (away < 0.005).sum() == 3
    assert np.array_equal(got.argmax(axis=1)[away < 0.005], wanted.argmax(axis=1)[away < 0.005])


def test_layers_have_the_names_of_the_model():
    _, report, _, _ = answers("larq_ones")
    assert "model/dense/MatMul" in [kept.layer for kept in report.kept]
    full = b"model/bn/FusedBatchNormV3;model/conv2d/BiasAdd;model/conv2d/Conv2D"
    assert layer_name(full, "CONV_2D") == "model/conv2d/Conv2D"
    assert layer_name(full, "ADD") == "model/bn/FusedBatchNormV3"
