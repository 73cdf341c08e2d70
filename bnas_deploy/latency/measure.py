"""Makes a latency table: packs networks of random cells, measures their steps, and adds up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from bnas_deploy.format import PackedModel
from bnas_deploy.latency.clock import Times, machine, measure_in_turns
from bnas_deploy.latency.keys import StepKey, step_keys
from bnas_deploy.latency.packing import pack_random
from bnas_deploy.latency.probes import probes
from bnas_deploy.latency.table import Coverage, LatencyTable
from bnas_deploy.nn.config import NetworkConfig

__all__ = ["measure_table"]

Tell = Callable[[str, int, int], None]


def measure_table(
    base: NetworkConfig,
    covers: Coverage,
    *,
    rounds: int = 7,
    tell: Tell = lambda what, done, of: None,
) -> LatencyTable:
    """Measure a table on this machine with the native engine, one thread.

    Args:
        base: Gives what the coverage does not say, such as the number of classes.
        covers: For which networks.
        rounds: How many blocks of runs are measured of each network; more are steadier.
        tell: Is called with what is being done and how much of it is done.

    Raises:
        BackendError: The native engine is not available.
        ConfigError: A network of the coverage is impossible.
    """
    facts = machine()
    configs = list(probes(base, covers))
    packed = []
    for done, config in enumerate(configs):
        tell("packing networks of random cells", done, len(configs))
        packed.append(pack_random(config, eight_bit=covers.eight_bit, seed=done))
    times = measure_in_turns(
        packed, rounds=rounds, tell=lambda done: tell("measuring them in turns", done, rounds)
    )
    return _added_up(packed, times, facts, covers)


def _added_up(
    packed: Sequence[PackedModel],
    times: Sequence[Times],
    facts: Mapping[str, str],
    covers: Coverage,
) -> LatencyTable:
    keys = [step_keys(model.program, model.tensors) for model in packed]
    found: dict[StepKey, list[float]] = defaultdict(list)
    for own, time in zip(keys, times, strict=True):
        for key, seconds in zip(own, time.steps, strict=True):
            found[key].append(float(seconds))
    steps = {key: float(np.median(values)) for key, values in found.items()}
    sums = np.array([sum(steps[key] for key in own) for own in keys])
    runs = np.array([time.run for time in times])
    overhead = float(np.median(runs - sums))
    misses = np.abs((sums + overhead) / runs - 1)
    median, most = np.percentile(misses, [50, 90])
    agreement = {"median": float(median), "nine_in_ten": float(most)}
    return LatencyTable(facts, covers, overhead, agreement, steps)
