"""Tests of binarization: signs at zero, scales, and gradients against formulas worked by hand."""

from __future__ import annotations

import pytest
import torch

from bnas_deploy.nn.quantize import (
    binarize_weight,
    binary_weight,
    constrain_weight,
    signs,
    ste_sign,
    weight_gradient,
)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_sign_of_both_zeros_is_plus_one(dtype):
    x = torch.tensor([-2.0, -0.0, 0.0, 1e-30, -1e-30], dtype=dtype)
    assert signs(x).tolist() == [-1, 1, 1, 1, -1]
    assert ste_sign(x).tolist() == [-1, 1, 1, 1, -1]
    assert signs(x).dtype == dtype


def test_the_activation_gradient_passes_strictly_within_one():
    x = torch.tensor([-1.5, -1.0, -0.999, 0.0, 0.5, 1.0, 2.0], requires_grad=True)
    ste_sign(x).backward(torch.arange(1.0, 8.0))
    assert x.grad.tolist() == [0, 0, 3, 4, 5, 0, 0]


def test_weights_are_centred_over_the_inputs_then_clamped():
    latent = torch.tensor([3.0, -1.0, 1.0, 1.0]).reshape(1, 2, 1, 2)
    # Over the inputs: means (2, 0), so the centred weight is (1, -1), (-1, 1).
    assert constrain_weight(latent).flatten().tolist() == [1, -1, -1, 1]
    wide = torch.tensor([5.0, -5.0]).reshape(1, 2, 1, 1)
    assert constrain_weight(wide).flatten().tolist() == [1, -1]
    assert wide.flatten().tolist() == [5, -5]


def test_binarize_gives_signs_and_the_mean_magnitude():
    latent = torch.tensor([0.5, -0.1, 0.2, 0.2]).reshape(2, 2, 1, 1)
    sign, beta = binarize_weight(latent)
    # Centred: (0.3, -0.3) and (0, 0); the sign of zero is +1.
    assert sign.flatten().tolist() == [1, -1, 1, 1]
    assert beta.tolist() == pytest.approx([0.3, 0.0])


def test_constraining_twice_is_constraining_once_where_nothing_is_clamped():
    torch.manual_seed(0)
    once = constrain_weight(torch.rand(8, 6, 3, 3) - 0.5)
    assert torch.allclose(constrain_weight(once), once, atol=1e-6)


def test_constraining_twice_is_not_constraining_once_where_the_clamp_acts():
    latent = torch.tensor([3.0, -0.4, -0.5, -0.6]).reshape(1, 4, 1, 1)
    once = constrain_weight(latent)
    assert once.flatten().tolist() == pytest.approx([1, -0.775, -0.875, -0.975])
    assert constrain_weight(once)[0, 0, 0, 0] == 1
    assert not torch.allclose(constrain_weight(once), once, atol=0.01)


def test_the_weight_gradient_by_hand():
    # One filter, two inputs, one pixel: n = 2, 1 - 1/I = 1/2, so the factor is 1.
    weight = torch.tensor([0.6, -0.2]).reshape(1, 2, 1, 1).requires_grad_()
    grad = torch.tensor([2.0, 4.0]).reshape(1, 2, 1, 1)
    binary_weight(weight).backward(grad)
    # beta = 0.4; mean(sign * G) = (2 - 4) / 2 = -1.
    assert weight.grad.flatten().tolist() == pytest.approx([0.4 * 2 - 1, 0.4 * 4 + 1])


def test_the_weight_gradient_against_the_formula_written_out():
    torch.manual_seed(1)
    weight, grad = torch.randn(3, 4, 3, 3).clamp(-1, 1), torch.randn(3, 4, 3, 3)
    beta = weight.abs().mean(dim=(1, 2, 3))
    got = weight_gradient(weight, beta, grad)
    n, inputs = 4 * 3 * 3, 4
    for o in range(3):
        sign = torch.where(weight[o] < 0, -1.0, 1.0)
        mean = (sign * grad[o]).sum() / n
        inside = (weight[o].abs() <= 1).float()
        want = (beta[o] * grad[o] * inside + sign * mean) * (1 - 1 / inputs) * n
        assert torch.allclose(got[o], want, atol=1e-5)


def test_the_forward_value_is_sign_times_beta():
    torch.manual_seed(2)
    weight = constrain_weight(torch.randn(3, 4, 1, 1))
    want = signs(weight) * weight.abs().mean(dim=(1, 2, 3))[:, None, None, None]
    assert torch.equal(binary_weight(weight), want)
