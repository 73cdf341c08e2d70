"""What each scheme's convolution computes and which gradients it gives, against the definitions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.scheme_convolutions import make
from torch.nn import functional

from bnas_deploy.backbones import config
from bnas_deploy.backbones.schemes import SCHEMES
from bnas_deploy.backbones.schemes.abc_net import AbcConv2d
from bnas_deploy.backbones.schemes.base import Geometry
from bnas_deploy.backbones.schemes.binarynet import SignConv2d
from bnas_deploy.backbones.schemes.bireal import BirealConv2d
from bnas_deploy.backbones.schemes.bonn import LearnedScaleConv2d
from bnas_deploy.backbones.schemes.signs import approx_sign, clip_sign, identity_sign
from bnas_deploy.backbones.schemes.xnor_plus import ScaledConv2d
from bnas_deploy.nn.layers import BinaryConv2d


def inference(conv, x):
    """The sum of the branches, times the factors of the pixels."""
    total = 0
    for branch in conv.branches():
        moved = x if branch.shift is None else x + branch.shift[:, None, None]
        bits = torch.where(moved >= 0, 1.0, -1.0).to(x.dtype)
        for sign, scale in branch.kernels:
            assert set(sign.unique().tolist()) <= {-1.0, 1.0}
            y = functional.conv2d(bits, sign, None, conv.stride, conv.padding, groups=conv.groups)
            total = total + y * scale[:, None, None]
    factors = conv.pixel_factors()
    return total if factors is None else total * factors


def gradient(function, x, upstream):
    x = x.clone().requires_grad_()
    function(x).backward(upstream)
    return x.grad


def test_the_names_are_those_of_configurations():
    assert set(SCHEMES) == set(config.SCHEMES)


@pytest.mark.parametrize("geometry", [{}, {"kernel": 1}, {"stride": 2, "side": 3}, {"groups": 2}])
@pytest.mark.parametrize("name", SCHEMES)
def test_branches_compute_what_training_does(name, geometry):
    conv = make(name, **geometry).eval()
    x = torch.randn(3, 8, 5, 5, dtype=torch.float64)
    with torch.no_grad():
        want = conv(x)
        assert torch.allclose(inference(conv, x), want, rtol=0, atol=1e-12)
    assert want.shape[1] == 12


@pytest.mark.parametrize("name", SCHEMES)
def test_evaluation_changes_nothing_and_training_leaves_what_is_evaluated(name):
    conv = make(name)
    x = torch.randn(2, 8, 5, 5, dtype=torch.float64)
    trained = conv.train()(x).detach()
    before = {key: value.clone() for key, value in conv.state_dict().items()}
    if name != "xnor":  # whose clamp and centring are applied once for each use
        assert torch.equal(conv.eval()(x).detach(), trained)
    conv.eval()(x)
    assert all(torch.equal(value, before[key]) for key, value in conv.state_dict().items())


@pytest.mark.parametrize("name", SCHEMES)
def test_every_parameter_has_a_gradient(name):
    conv = make(name)
    conv(torch.randn(2, 8, 5, 5, dtype=torch.float64)).pow(3).sum().backward()
    for key, parameter in conv.named_parameters():
        assert torch.isfinite(parameter.grad).all(), key
        assert parameter.grad.abs().sum() > 0, key


POINTS = torch.tensor([-1.5, -1.0, -0.75, -0.25, -0.0, 0.0, 0.25, 0.75, 1.0, 1.5])


@pytest.mark.parametrize("function", [approx_sign, clip_sign, identity_sign])
def test_signs_have_two_values(function):
    assert function(POINTS).tolist() == [-1, -1, -1, -1, 1, 1, 1, 1, 1, 1]


def test_the_gradient_of_a_sign_is_that_of_its_polynomial():
    x = torch.linspace(-1.3, 1.3, 40, dtype=torch.float64)

    def polynomial(x):
        inside = torch.where(x < 0, 2 * x + x * x, 2 * x - x * x)
        return torch.where(x.abs() < 1, inside, torch.sign(x))

    step = 1e-7
    slope = (polynomial(x + step) - polynomial(x - step)) / (2 * step)
    upstream = torch.randn_like(x)
    got = gradient(approx_sign, x, upstream)
    assert torch.allclose(got, slope * upstream, atol=1e-6)


def test_gradients_of_the_other_signs():
    upstream = torch.arange(1.0, 11.0)
    clipped = gradient(clip_sign, POINTS, upstream)
    assert clipped.tolist() == [0, 2, 3, 4, 5, 6, 7, 8, 9, 0]
    assert torch.equal(gradient(identity_sign, POINTS, upstream), upstream)


def test_xnor_is_the_binary_convolution_of_bnas():
    conv, ours = make("xnor"), BinaryConv2d(8, 12, 3, padding=1).double()
    ours.load_state_dict(conv.state_dict())
    x = torch.randn(2, 8, 5, 5, dtype=torch.float64)
    want = ours(torch.where(x >= 0, 1.0, -1.0).double())
    assert torch.equal(conv(x), want)
    for module in (conv, ours):
        module.zero_grad()
    conv(x).pow(2).sum().backward()
    ours(torch.where(x >= 0, 1.0, -1.0).double()).pow(2).sum().backward()
    assert torch.equal(conv.weight.grad, ours.weight.grad)


@pytest.mark.parametrize(("inputs", "groups"), [(8, 8), (1, 1)])
def test_xnor_does_not_centre_a_single_channel(inputs, groups):
    conv = make("xnor", inputs=inputs, outputs=8, groups=groups)
    before = conv.weight.detach().clone()
    conv(torch.randn(2, inputs, 5, 5, dtype=torch.float64)).pow(3).sum().backward()
    assert torch.equal(conv.weight.detach(), before)  # they were within the clamp
    assert conv.weight.grad.abs().sum() > 0
    ((sign, scale),) = conv.branches()[0].kernels
    assert torch.equal(sign, torch.where(before >= 0, 1.0, -1.0).double())
    assert torch.equal(scale, before.abs().mean(dim=(1, 2, 3)))


@pytest.mark.parametrize(("inputs", "groups"), [(8, 1), (8, 4), (2, 1)])
def test_xnor_centres_several_channels(inputs, groups):
    conv = make("xnor", inputs=inputs, outputs=8, groups=groups)
    conv.kernel()
    assert conv.weight.detach().mean(dim=1).abs().max() < 1e-12


def test_binarynet_clamps_its_latent_weights_and_has_no_scale():
    """The gradient passes on the bound, too, or weights would stay there."""
    conv = make("binarynet")
    with torch.no_grad():
        conv.weight[0] = 3.0
    assert set(conv.train().kernel().unique().tolist()) == {-1.0, 1.0}
    assert conv.weight.max() == 1.0
    conv.kernel().backward(torch.ones_like(conv.weight))
    assert conv.rate == (8 + 12) * 9 / 1.5
    assert torch.allclose(conv.weight.grad, torch.full_like(conv.weight, conv.rate))
    assert isinstance(conv, SignConv2d)
    (branch,) = conv.branches()
    assert torch.equal(branch.kernels[0][1], torch.ones(12, dtype=torch.float64))


def test_bireals_weight_gradient_has_the_scale():
    conv = make("bireal")
    with torch.no_grad():
        conv.weight[0, 0, 0, 0] = 1.5
    upstream = torch.randn_like(conv.weight)
    conv.kernel().backward(upstream)
    scale = conv.weight.detach().abs().mean(dim=(1, 2, 3), keepdim=True)
    assert torch.allclose(conv.weight.grad, upstream * scale * (conv.weight.abs() <= 1))
    assert isinstance(conv, BirealConv2d)


def test_abc_bases_are_shifted_and_fitted():
    conv = make("abc")
    w = conv.weight.detach().numpy()
    bases = [np.where(w - w.mean() + u * w.std() >= 0, 1.0, -1.0) for u in (-1, 0, 1)]
    columns = np.stack([b.ravel() for b in bases], axis=1)
    want, *_ = np.linalg.lstsq(columns, w.ravel(), rcond=None)
    kernels = conv.branches()[0].kernels
    for (sign, scale), basis, alpha in zip(kernels, bases, want, strict=True):
        assert np.array_equal(sign.detach().numpy(), basis)
        assert np.allclose(scale.detach().numpy(), alpha * conv.factor[0].item(), rtol=1e-4)
    # A linear combination of the bases comes nearer to the weights than one basis does.
    one = make("abc", bases=1).branches()[0].kernels[0]
    error = np.square(columns @ want - w.ravel()).sum()
    assert error < np.square(one[0].detach().numpy() * np.abs(w).mean() - w).sum()


def test_autocast_leaves_the_factors_of_abc_as_they_are():
    conv = make("abc").float()
    want = conv.kernel().detach()
    with torch.autocast("cpu", torch.bfloat16):
        got = conv.kernel().detach()
        scales = [scale for branch in conv.branches() for _, scale in branch.kernels]
    assert got.dtype == torch.float32
    assert torch.equal(got, want)
    kernels = [kernel for branch in conv.branches() for kernel in branch.kernels]
    assert all(torch.equal(a, b) for a, (_, b) in zip(scales, kernels, strict=True))


def test_abc_gradient_of_an_activation_is_an_indicator():
    conv = make("abc", bases=1)
    with torch.no_grad():
        conv.shift.fill_(0.5)
        conv.factor.fill_(2.0)
    x = torch.tensor([-0.6, -0.4, 0.4, 0.6], dtype=torch.float64)[None, :, None, None]
    got = gradient(conv.activations, x, torch.ones_like(x))
    assert got.flatten().tolist() == [0, 2, 2, 0]
    assert isinstance(conv, AbcConv2d)


def test_one_abc_base_at_the_origin_is_sign_of_the_centred_weight():
    conv = make("abc", bases=1)
    with torch.no_grad():
        conv.shift.fill_(0.5)
    (branch,) = conv.branches()
    assert torch.equal(branch.shift, torch.zeros(8, dtype=torch.float64))
    centred = conv.weight - conv.weight.mean()
    assert torch.equal(branch.kernels[0][0], torch.where(centred >= 0, 1.0, -1.0).double())


def test_xnor_plus_scales_rows_and_columns():
    conv = make("xnor-plus")
    x = torch.randn(1, 8, 5, 5, dtype=torch.float64)
    bits = torch.where(x >= 0, 1.0, -1.0).double()
    sums = functional.conv2d(bits, torch.where(conv.weight >= 0, 1.0, -1.0).double(), padding=1)
    gamma = torch.einsum("o,y,x->oyx", conv.channels, conv.rows, conv.columns)
    assert torch.allclose(conv(x), sums * gamma)
    assert isinstance(conv, ScaledConv2d)


def test_bonn_begins_with_the_mean_magnitude():
    conv = LearnedScaleConv2d(Geometry(4, 6, 3))
    assert torch.equal(conv.scale, conv.weight.abs().mean(dim=(1, 2, 3)))


def test_binary_duo_has_two_thresholds_a_channel():
    conv = make("binary-duo")
    assert conv.shifts.shape == (2, 8)
    assert conv.weight.shape == (12, 16, 3, 3)
    x = torch.full((1, 8, 1, 1), 0.0, dtype=torch.float64)
    with torch.no_grad():
        conv.shifts.copy_(torch.tensor([[0.5], [-0.5]]).expand(2, 8))
    for value, signs in ((-1.0, (-1, -1)), (0.0, (1, -1)), (1.0, (1, 1))):
        found = conv.activations(x + value).flatten()
        assert found.tolist() == [signs[0]] * 8 + [signs[1]] * 8
