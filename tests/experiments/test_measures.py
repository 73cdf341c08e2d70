"""Tests of measuring after training: packed files against PyTorch, kept results, a shipped file."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bnas_deploy.errors import UsageError
from bnas_deploy.experiments.measuring.measures import evaluate_shipped, measured
from bnas_deploy.experiments.running.generated import generated_images


@pytest.fixture
def model(done):
    return done / "shortcuts-smoke" / "conv-0" / "model.pt"


def test_a_measure_is_asked_once_for_a_file(model, tmp_path):
    asked = []

    def measure(network, images):
        asked.append(images.name)
        return {"x": 0.5}

    images = generated_images()
    for _ in range(2):
        assert measured(tmp_path / "job", model, measure, on=images) == {"x": 0.5}
    assert asked == ["generated images"]
    other = tmp_path / "model.pt"
    other.write_bytes(
        model.with_name("model.pt").parents[1].joinpath("pool-0/model.pt").read_bytes()
    )
    measured(tmp_path / "job", other, measure, on=images)
    assert len(asked) == 2


def test_a_kept_result_that_is_damaged_is_measured_again(model, tmp_path):
    (tmp_path / "measures.json").write_text("{")
    assert measured(tmp_path, model, lambda m, d: {"x": 1.0}, on=generated_images()) == {"x": 1.0}
    assert json.loads((tmp_path / "measures.json").read_text())["measures"] == {"x": 1.0}


def test_a_shipped_model_is_evaluated_in_pytorch_and_packed(model, tmp_path):
    result = evaluate_shipped(tmp_path, model, generated_images(), variant="shipped")
    assert result.status == "done"
    assert result.metrics["test_accuracy"] == result.metrics["packed_accuracy"] > 0.5
    assert set(result.metrics) == {"test_accuracy", "packed_accuracy", "packed_8bit_accuracy"}


def test_images_of_other_classes(model, tmp_path):
    other = replace(generated_images(), classes=("a", "b", "c"))
    with pytest.raises(UsageError, match="knows blue, green, red; the images are a, b, c"):
        evaluate_shipped(tmp_path, model, other, variant="shipped")
