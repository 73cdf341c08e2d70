"""Tests of networks with one logit: a threshold between two labels, in every place."""

from __future__ import annotations

import numpy as np
import pytest
from support.onnx_models import OnnxModel

from bnas_deploy.converters.from_onnx.convert import convert_onnx
from bnas_deploy.converters.from_onnx.logits import onnx_logits
from bnas_deploy.converters.packing.one_logit import with_two_logits
from bnas_deploy.errors import FormatError
from bnas_deploy.runtime.model import Model


def one_logit(folder, *, sigmoid=False):
    """A network of grey pictures with one logit; and the same ONNX model without a Sigmoid."""
    m = OnnxModel((1, 8, 8))
    x = m.binary(m.add("Sign", m.norm("x", 1)), 1, 8)
    x = m.add("Gemm", m.add("Flatten", x), m.normal(1, 512) / 99, transB=1)
    m.save(folder, x).rename(folder / "logit.onnx")
    if sigmoid:
        x = m.add("Sigmoid", x)
    return m.save(folder, x)


IMAGES = np.random.default_rng(0).standard_normal((40, 1, 8, 8)).astype(np.float32)


@pytest.mark.parametrize("sigmoid", [False, True])
def test_two_logits_of_which_the_first_is_zero(tmp_path, sigmoid):
    import onnx

    path = one_logit(tmp_path, sigmoid=sigmoid)
    packed, report = convert_onnx(path, allow_float=True, images=IMAGES, labels=("no", "yes"))
    assert packed.labels == ("no", "yes")
    model = Model(packed, backend="reference")
    logits = model.run(IMAGES)
    z = onnx_logits(onnx.load(tmp_path / "logit.onnx"), IMAGES)
    assert logits.shape == (40, 2)
    assert not logits[:, 0].any()
    assert np.allclose(logits[:, 1:], z, atol=1e-4)
    answers = model.rank(logits, top_k=2)
    assert [a.label for a in answers] == ["yes" if v > 0 else "no" for v in logits[:, 1]]
    assert {a.label for a in answers} == {"no", "yes"}
    sigmoids = 1 / (1 + np.exp(-logits[:, 1].astype(np.float64)))
    assert np.allclose([dict_of(a)["yes"] for a in answers], sigmoids)
    check = report.self_check
    assert (check.same_answer, check.images) == (40, 40)
    assert 0 < check.clear < 40 or check.clear == check.clear_same
    assert any("one logit: 'yes' where it is above 0, else 'no'" in note for note in report.notes)
    assert any("Sigmoid behind the logits" in note for note in report.notes) == sigmoid


def dict_of(prediction):
    return {guess.label: guess.probability for guess in prediction.top}


def test_names_by_default_and_a_single_name(tmp_path):
    path = one_logit(tmp_path)
    packed, report = convert_onnx(path, allow_float=True, images=IMAGES)
    assert packed.labels == ("class 0", "class 1")
    assert any("name the two with --labels" in note for note in report.notes)
    alone, report = convert_onnx(path, allow_float=True, images=IMAGES, labels=("age",))
    assert alone.labels == ("age",)
    logits = Model(alone, backend="reference").run(IMAGES)
    assert np.array_equal(logits, Model(packed, backend="reference").run(IMAGES)[:, 1:])
    with pytest.raises(FormatError, match="labels: expected one per class, 2, got 3"):
        convert_onnx(path, allow_float=True, images=IMAGES, labels=("a", "b", "c"))


def test_more_logits_are_left_as_they_are(tmp_path):
    from bnas_deploy.converters.from_onnx.source import onnx_source
    from bnas_deploy.converters.packing.model_file import ModelFile

    m = OnnxModel((1, 8, 8))
    path = m.save(tmp_path, m.float_head(m.norm("x", 1), 1, 3))
    source = onnx_source(ModelFile(path), allow_float=True)
    assert with_two_logits(source) is source
