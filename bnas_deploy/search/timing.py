"""The time of a network in the search: an expected time for the gradient, a predicted one to judge.

Shapes: alphas (E, P) for each kind of cell, edges and primitives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bnas_deploy.errors import UsageError
from bnas_deploy.latency.clock import is_this_machine, measure_in_turns
from bnas_deploy.latency.edges import edge_seconds
from bnas_deploy.latency.packing import pack_random
from bnas_deploy.latency.predict import predict
from bnas_deploy.latency.table import LatencyTable
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.genotype import EDGES_PER_NODE, INPUT_STATES, NODES, Genotype
from bnas_deploy.search.recipe import SearchRecipe
from bnas_deploy.search.selection import Probabilities, check_gamma, gamma_name, select_genotype
from bnas_deploy.search.space import SUPERNET_EDGES
from bnas_deploy.search.within import select_within

__all__ = ["Timing"]

RATE = 0.1
"""Of the dual ascent: how much the weight changes where the time is off by its own size."""
ROUNDS = 15
"""Blocks of runs that a network found is measured with."""
TRIES = 4


class Timing:
    """What the search knows of the time of the network that its cells are for.

    Attributes:
        table: Of the machine that counts.
        config: The network but for its cells.
        weight: What the expected time, in units of `unit`, is multiplied by in the objective.
        margin: By what the target is multiplied, after a network within it measured slower.
        unit: Seconds: the target, or without one the time of the network with its own cells.
    """

    def __init__(self, table: LatencyTable, config: NetworkConfig, recipe: SearchRecipe) -> None:
        """Take a table, the network that cells are searched for, and the recipe.

        Raises:
            UsageError: The table does not cover them.
        """
        self.table, self.config, self.recipe = table, config, recipe
        self.space = recipe.space
        self.weight, self.margin = recipe.latency_weight, 1.0
        self._known: dict[Genotype, float] = {}
        self.edges = edge_seconds(table, config, self.space, [s for _, s in SUPERNET_EDGES])
        self._edge_tensors = {k: torch.from_numpy(v).float() for k, v in self.edges.items()}
        self.unit = recipe.target_ms / 1e3 or self.predicted(config.genotype)

    def check_possible(self, gammas: Sequence[float]) -> None:
        """Check that there are cells within the target.

        Raises:
            UsageError: There are none; the message has the least time.
        """
        uniform = {k: np.full(v.shape, 1 / v.shape[1]) for k, v in self.edges.items()}
        for gamma in gammas:
            self.cells(uniform, gamma)

    def expected(self, alphas: Mapping[str, Tensor], gamma: float) -> Tensor:
        """Return the expected time of the edges that the selection would keep, over the unit.

        Of a node's edges the derivation keeps two. Which ones is taken from the present
        probabilities, without a gradient; on these the time is the mean over the primitives, with
        their probabilities, in all cells of the kind. So, as the probabilities sharpen, it becomes
        the time that the edges of the derived network take.
        """
        total = torch.zeros(())
        for kind, alpha in alphas.items():
            p = functional.softmax(alpha, dim=1)
            seconds = self._edge_tensors[kind].to(p.device)
            kept = _kept(p.detach().cpu().double().numpy(), self.space, gamma).to(p.device)
            total = total.to(p.device) + (p * seconds).sum(dim=1)[kept].sum()
        return total / self.unit

    def predicted(self, genotype: Genotype) -> float:
        """Return the predicted seconds of the network with such cells."""
        if genotype not in self._known:
            model = pack_random(
                replace(self.config, genotype=genotype), eight_bit=self.table.covers.eight_bit
            )
            self._known[genotype] = predict(self.table, model).seconds
        return self._known[genotype]

    def cells(self, probabilities: Mapping[str, Probabilities], gamma: float) -> Genotype:
        """Return the cells that Eq. 5 chooses, changed as far as the target needs.

        Raises:
            UsageError: No cells are within the target.
        """
        if not self.recipe.target_ms:
            return select_genotype(probabilities, self.space, gamma)
        return select_within(
            probabilities, self.space, gamma,
            target=self.margin * self.unit, edges=self.edges, predict=self.predicted,
        )  # fmt: skip

    def ascend(self, probabilities: Mapping[str, Probabilities], gamma: float) -> float:
        """Return the predicted seconds of Eq. 5's own cells; move the weight after them.

        With a target the weight grows while they are slower, and falls while they are faster.
        """
        seconds = self.predicted(select_genotype(probabilities, self.space, check_gamma(gamma)))
        if self.recipe.target_ms:
            self.weight = max(0.0, self.weight + RATE * (seconds / self.unit - 1))
        return seconds

    def columns(
        self,
        alphas: Mapping[str, Tensor],
        probabilities: Mapping[str, Probabilities],
        chosen: Mapping[float, Genotype],
    ) -> dict[str, float]:
        """Return the times of an epoch for the metrics, after moving the weight.

        Args:
            alphas: Architecture parameters.
            probabilities: Their softmax.
            chosen: The cells within the target, by gamma; the first gamma's are followed.
        """
        first = next(iter(chosen))
        with torch.no_grad():
            expected = float(self.expected(alphas, first))
        return {
            "latency_weight": self.weight,
            "expected_edges_ms": 1e3 * self.unit * expected,
            "unbound_ms": 1e3 * self.ascend(probabilities, first),
            **{f"ms_gamma_{gamma_name(g)}": 1e3 * self.predicted(c) for g, c in chosen.items()},
        }

    def settle(
        self, probabilities: Mapping[str, Probabilities], gammas: Sequence[float]
    ) -> dict[float, dict[str, float]]:
        """Measure the networks found, and tighten the target where one is slower than that.

        Returns:
            `predicted_ms`, and `measured_ms` where the table is of this machine, by gamma.

        Raises:
            UsageError: No cells are within the target as it is measured.
        """
        for _ in range(TRIES):
            cells = [self.cells(probabilities, gamma) for gamma in gammas]
            found = {
                g: {"predicted_ms": 1e3 * self.predicted(c)}
                for g, c in zip(gammas, cells, strict=True)
            }
            measured = self.measured(cells)
            if measured is None:
                return found
            for gamma, seconds in zip(gammas, measured, strict=True):
                found[gamma]["measured_ms"] = 1e3 * seconds
            slowest = max(measured)
            if not self.recipe.target_ms or slowest <= self.unit:
                return found
            self.margin *= 0.99 * self.unit / slowest
        msg = (
            f"the cells found take {1e3 * slowest:.3f} ms as measured, more than the target of"
            f" {1e3 * self.unit:.3f} ms, after {TRIES} tries; the machine may be busy with other"
            " programs: go on with --resume when it is idle, or measure the table again"
        )
        raise UsageError(msg)

    def measured(self, genotypes: Sequence[Genotype]) -> list[float] | None:
        """Return the measured seconds of networks; None where the table is of another machine."""
        if not is_this_machine(self.table.machine):
            return None
        eight_bit = self.table.covers.eight_bit
        configs = [replace(self.config, genotype=genotype) for genotype in genotypes]
        models = [pack_random(config, eight_bit=eight_bit) for config in configs]
        return [times.run for times in measure_in_turns(models, rounds=ROUNDS)]


def _kept(p: Probabilities, space: Sequence[str], gamma: float) -> Tensor:
    """The rows that Eq. 5 keeps: of each node the two with the largest winning value."""
    value = p.copy()
    if "none" in space:
        value[:, space.index("none")] /= gamma
    best = value.max(axis=1)
    rows: list[int] = []
    for node in range(INPUT_STATES, INPUT_STATES + NODES):
        own = [row for row, (target, _) in enumerate(SUPERNET_EDGES) if target == node]
        rows += sorted(own, key=lambda row: -float(best[row]))[:EDGES_PER_NODE]
    return torch.tensor(rows)
