"""Tests of the objective against hand-computed cases and finite differences."""

from __future__ import annotations

import math

import pytest
import torch

from bnas_deploy.search.objective import (
    diversity_weight,
    edge_entropies,
    mean_entropy,
    search_loss,
)


def test_entropies_by_hand():
    # Probabilities 1/2, 1/4, 1/4: entropy 1.5 bits; uniform over three: ln 3; certainty: 0.
    alphas = torch.tensor([[2.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1e4, 0.0, 0.0]]).double()
    alphas[0] = torch.tensor([0.5, 0.25, 0.25]).log()
    assert edge_entropies(alphas).tolist() == pytest.approx([1.5 * math.log(2), math.log(3), 0.0])


def test_the_mean_is_over_the_edges_of_both_cells():
    # Edges 0 of the normal cell and 0, 1 of the reduction cell: (ln 2 + ln 2 + 0) / 3.
    normal = torch.zeros(1, 2)
    reduce = torch.tensor([[0.0, 0.0], [1e3, 0.0]])
    assert mean_entropy([normal, reduce]).item() == pytest.approx(2 * math.log(2) / 3)
    # Each reduction edge counts by itself: changing any one of them changes the mean.
    reduce = torch.zeros(3, 2, requires_grad=True)
    with torch.no_grad():
        reduce += torch.tensor([[0.1, 0.0], [0.2, 0.0], [0.3, 0.0]])
    (gradient,) = torch.autograd.grad(mean_entropy([normal, reduce]), [reduce])
    assert (gradient[:, 0] < 0).all()
    assert gradient[0, 0] > gradient[1, 0] > gradient[2, 0]


def test_annealing_by_hand():
    assert diversity_weight(1.0, 7.7, 0) == 1.0
    assert diversity_weight(2.0, 7.7, 7.7) == pytest.approx(2 / math.e)
    assert diversity_weight(0.0, 7.7, 3) == 0.0


def test_the_objective_by_hand():
    # Uniform over two everywhere: H = ln 2; at t = tau the regulariser weighs lambda / e.
    alphas = [torch.zeros(4, 2), torch.zeros(4, 2)]
    loss = search_loss(torch.tensor(5.0), alphas, diversity=3.0, tau=2.0, epoch=2)
    assert loss.item() == pytest.approx(5.0 - 3.0 * math.log(2) / math.e)


def test_the_gradient_against_finite_differences():
    torch.manual_seed(0)
    normal = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    reduce = torch.randn(2, 4, dtype=torch.float64, requires_grad=True)

    def objective(normal, reduce):
        cross_entropy = (normal.sin().sum() + reduce.cos().sum()) / 7
        return search_loss(cross_entropy, [normal, reduce], diversity=0.9, tau=7.7, epoch=3)

    assert torch.autograd.gradcheck(objective, (normal, reduce))


def test_the_entropy_gradient_against_its_formula():
    # dH/da_k = -p_k (log p_k + H), for each edge.
    alphas = torch.randn(2, 5, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(mean_entropy([alphas]), [alphas])
    p = alphas.detach().softmax(1)
    entropy = -(p * p.log()).sum(1, keepdim=True)
    torch.testing.assert_close(gradient, -p * (p.log() + entropy) / 2)


def test_certainty_has_finite_gradients():
    alphas = torch.tensor([[200.0, 0.0]], requires_grad=True)
    (gradient,) = torch.autograd.grad(mean_entropy([alphas]), [alphas])
    assert torch.isfinite(gradient).all()
