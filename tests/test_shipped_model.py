"""The checkpoint and the packed file in models/ belong together and reach what the README says."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from bnas_deploy import format as bnn
from bnas_deploy.converters.eight_bit.facts import EightBitOptions
from bnas_deploy.converters.from_torch.convert import convert_trained
from bnas_deploy.converters.packing.check import CheckOptions
from bnas_deploy.format.steps import BinaryConv2d
from bnas_deploy.training.model.trained_model import load_model

MODELS = Path(__file__).parents[1] / "models"
CHECKPOINT, PACKED = MODELS / "bnas-mini.pt", MODELS / "bnas-mini.bnn"


@pytest.fixture(scope="module")
def packed() -> bnn.PackedModel:
    return bnn.read(PACKED)


def test_the_packed_file_was_made_from_the_checkpoint(packed: bnn.PackedModel) -> None:
    digest = hashlib.sha256(CHECKPOINT.read_bytes()).hexdigest()
    assert packed.provenance["source"]["sha256"] == digest


def test_an_export_of_the_checkpoint_has_the_same_bits(packed: bnn.PackedModel) -> None:
    again, _ = convert_trained(load_model(CHECKPOINT), eight_bit=EightBitOptions())
    assert again.program == packed.program
    assert len(again.tensors) == len(packed.tensors)
    for step in again.program.steps:
        if isinstance(step, BinaryConv2d):
            np.testing.assert_array_equal(again.tensors[step.weight], packed.tensors[step.weight])


def test_the_checkpoint_and_its_export_agree() -> None:
    loaded = load_model(CHECKPOINT)
    _, checked = convert_trained(loaded, check=CheckOptions(16))
    assert checked.self_check is not None
    assert checked.self_check.clear_same == checked.self_check.clear


def test_it_reaches_what_a_trained_network_must(packed: bnn.PackedModel) -> None:
    training = load_model(CHECKPOINT).training
    assert training["dataset"] == "CIFAR-10 (JPEG)"
    assert training["test_accuracy"] >= 0.84
    assert packed.provenance["training"]["test_accuracy"] == training["test_accuracy"]
