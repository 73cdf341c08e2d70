"""Tests of layers put into 8 bits: which ones, what they compute, what is reported."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from support.program_builder import Builder
from support.random_programs import random_images, random_program

from bnas_deploy.converters.eight_bit.facts import KINDS, check_kinds
from bnas_deploy.converters.eight_bit.quantize import MADE_UP, quantize
from bnas_deploy.engine.reference.backend import ReferenceRunner
from bnas_deploy.errors import ConversionError, UsageError
from bnas_deploy.format import PackedModel, read, to_bytes
from bnas_deploy.format.steps import Conv2d, QuantizedConv2d


def network() -> PackedModel:
    """Affine, two stem convolutions, a binary one, a shortcut, a classifier."""
    b = Builder(np.random.default_rng(0), (3, 8, 8))
    stem = b.conv2d(b.relu(b.conv2d(b.affine("image"), 6)), 8, activation="relu")
    (x,) = b.binary_conv2d(b.binarize(stem), 8, stages=("scale_relu",))
    b.conv2d(x, 12, kernel=2, stride=2, padding=0)
    return b.finish()


def pictures(model: PackedModel, count: int = 20) -> np.ndarray:
    return random_images(np.random.default_rng(1), model, count)


def ops(model: PackedModel) -> list[str]:
    return [step.OP for step in model.program.steps]


def test_kinds_of_layers() -> None:
    model = network()
    _, found = quantize(model, KINDS, images=pictures(model), backend="reference")
    assert [layer.kind for layer in found.layers] == ["stem", "stem", "shortcut", "classifier"]
    assert (found.calibration, found.calibration_images) == ("given", 20)
    assert found.float_layers == ()


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_is_asked_for_changes(kind: str) -> None:
    model = network()
    result, found = quantize(model, (kind,), images=pictures(model), backend="reference")
    assert {layer.kind for layer in found.layers} == {kind}
    assert {(f.kind, f.reason) for f in found.float_layers} == {
        (other, "not asked for") for other in KINDS if other != kind
    }
    changed = [s for s, t in zip(model.program.steps, result.program.steps, strict=True) if s != t]
    assert len(changed) == len(found.layers)
    for layer in found.layers:
        assert layer.bytes_after < layer.bytes_before
    saved = sum(layer.bytes_before - layer.bytes_after for layer in found.layers)
    sizes = [sum(t.nbytes for t in m.tensors.values()) for m in (model, result)]
    assert sizes[0] - sizes[1] == saved
    assert result.cost["eight_bit_macs"] > 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_computes_nearly_the_same(kind: str) -> None:
    model = network()
    images = pictures(model, 60)
    result, _ = quantize(model, (kind,), images=images, backend="reference")
    exact, rough = (ReferenceRunner(m).trace(images) for m in (model, result))
    # The first one's input is the float program's, so that errors do not add up.
    first = next(s for s in result.program.steps if isinstance(s, QuantizedConv2d)).output
    error = rough[first] - exact[first]
    assert 0 < np.sqrt(np.mean(error**2)) < 0.02 * exact[first].std()


def test_the_padding_is_an_exact_zero() -> None:
    b = Builder(np.random.default_rng(0), (2, 4, 4))
    out = b.conv2d(b.affine("image"), 3, padding=3, bias=False)
    model = b.finish()
    images = pictures(model) + np.float32(0.7)
    result, _ = quantize(model, ("stem",), images=images, backend="reference")
    got = ReferenceRunner(result).trace(images)[out]
    assert not got[:, :, 0].any()  # sees nothing but padding
    assert got[:, :, 4:6].any()


def test_a_classifier_on_a_whole_image() -> None:
    b = Builder(np.random.default_rng(0), (3, 4, 5))
    model = b.model(b.linear("image", 4))
    images = pictures(model, 50)
    result, _ = quantize(model, ("classifier",), images=images, backend="reference")
    assert ops(result) == ["quantized_conv2d"]
    want, got = (ReferenceRunner(m).run(images) for m in (model, result))
    assert np.sqrt(np.mean((got - want) ** 2)) < 0.03 * want.std()


def test_without_pictures_they_are_made_up_and_the_classifier_stays() -> None:
    model = network()
    result, found = quantize(model, KINDS, backend="reference")
    assert (found.calibration, found.calibration_images) == ("synthetic", MADE_UP)
    assert [layer.kind for layer in found.layers] == ["stem", "stem", "shortcut"]
    assert [f.reason for f in found.float_layers] == [
        "its range shows on real pictures only, and none were given to calibrate with"
    ]
    assert ops(result)[-1] == "linear"


@pytest.mark.parametrize("which", [(), ("classifier",)])
def test_nothing_to_do(which: tuple[str, ...]) -> None:
    model = network()
    result, found = quantize(model, which)
    assert result is model
    assert found.layers == ()
    assert found.calibration is None


def test_no_images() -> None:
    model = network()
    with pytest.raises(ConversionError, match="at least one image"):
        quantize(model, images=pictures(model, 0), backend="reference")


@pytest.mark.parametrize("kinds", [("shortcut", "head"), "stem"])
def test_unknown_kinds(kinds: object) -> None:
    with pytest.raises(UsageError, match=r"some of shortcut, stem, classifier; got '(head|stem)'"):
        check_kinds(kinds)  # type: ignore[arg-type]


def test_kinds_are_put_in_order_once() -> None:
    assert check_kinds(["stem", "shortcut", "stem"]) == ("shortcut", "stem")


def test_infinite_inputs_leave_a_layer_in_float() -> None:
    b = Builder(np.random.default_rng(0), (2, 4, 4))
    b.conv2d(b.relu("image"), 3)
    model = b.finish()
    images = pictures(model)
    images[0, 0, 0, 0] = np.inf
    result, found = quantize(model, ("stem",), images=images, backend="reference")
    assert result.program == model.program
    assert [f.reason for f in found.float_layers][:1] == [
        "its input is not finite on the calibration images"
    ]


def test_shared_weights_stay_for_the_step_that_needs_them() -> None:
    b = Builder(np.random.default_rng(0), (4, 6, 6))
    first = b.conv2d("image", 4)
    step = b.steps[-1]
    assert isinstance(step, Conv2d)
    (bits,) = (b.binarize(first),)
    (x,) = b.binary_conv2d(bits, 4)
    out = b.value("f32", b.shape(first))
    b.steps.append(dataclasses.replace(step, input=x, output=out))
    model = b.finish()
    result, found = quantize(model, ("shortcut",), images=pictures(model), backend="reference")
    assert [layer.kind for layer in found.layers] == ["shortcut"]
    assert step.weight in result.tensors


@pytest.mark.parametrize("seed", range(20))
def test_random_programs_stay_valid_and_readable(seed: int) -> None:
    model = random_program(np.random.default_rng(seed))
    result, found = quantize(model, KINDS, images=pictures(model, 3), backend="reference")
    back = read(to_bytes(result))
    assert back.program == result.program
    left = [op for op in ops(result) if op in ("conv2d", "linear")]
    assert len(left) == len(found.float_layers)
    assert len(found.layers) == ops(result).count("quantized_conv2d") - ops(model).count(
        "quantized_conv2d"
    )
