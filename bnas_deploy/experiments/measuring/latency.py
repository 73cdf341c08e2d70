"""Latency of packed networks that differ in their shortcut, side by side.

All networks take turns in every round, in an order that rotates, so that whatever else the machine
does meets all of them alike.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bnas_deploy.runtime.model import Model

if TYPE_CHECKING:
    from bnas_deploy.format.program import PackedModel
    from bnas_deploy.nn.config import NetworkConfig

__all__ = ["compare_shortcuts", "interleaved"]

WARM_UP = 2


def interleaved(models: Mapping[str, Model], *, rounds: int) -> dict[str, dict[str, float]]:
    """Time one image on each model in turns.

    Args:
        models: By name; each has one thread.
        rounds: How often each is timed.

    Returns:
        Of each `ms` (median), `iqr_ms` (interquartile range) and `rounds`.
    """
    inputs = {
        name: np.random.default_rng(0).standard_normal((1, *m.input_shape)).astype(np.float32)
        for name, m in models.items()
    }
    names = list(models)
    times: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(WARM_UP + rounds):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            started = time.perf_counter()
            models[name].run(inputs[name])
            if turn >= WARM_UP:
                times[name].append(1e3 * (time.perf_counter() - started))
    return {name: _summary(found) for name, found in times.items()}


def compare_shortcuts(
    network: NetworkConfig, choices: Mapping[str, tuple[str, int]], *, rounds: int
) -> dict[str, dict[str, float]]:
    """Pack a network of random weights with each shortcut and time them.

    Args:
        network: Whose shortcut is exchanged.
        choices: Kind of shortcut and bits of its weights (32 or 8) by name.
        rounds: As for `interleaved`.
    """
    packed = {
        name: _packed(replace(network, shortcut=kind), bits)
        for name, (kind, bits) in choices.items()
    }
    return interleaved({name: Model(p) for name, p in packed.items()}, rounds=rounds)


def _packed(network: NetworkConfig, bits: int) -> PackedModel:
    # The converter needs torch, and a page is rendered without.
    from bnas_deploy.converters.eight_bit.facts import EightBitOptions  # noqa: PLC0415
    from bnas_deploy.converters.from_torch.convert import convert_network  # noqa: PLC0415
    from bnas_deploy.nn.network import build_network  # noqa: PLC0415

    options = EightBitOptions(("shortcut",)) if bits == 8 else None
    return convert_network(build_network(network).eval(), eight_bit=options)[0]


def _summary(times: list[float]) -> dict[str, float]:
    low, median, high = np.percentile(times, [25, 50, 75])
    return {"ms": float(median), "iqr_ms": float(high - low), "rounds": len(times)}
