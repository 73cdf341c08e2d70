"""A latency table of made-up times, so that no test depends on a clock."""

from __future__ import annotations

import math
from functools import cache

from bnas_deploy.latency.keys import step_keys
from bnas_deploy.latency.packing import pack_random
from bnas_deploy.latency.probes import probes
from bnas_deploy.latency.table import Coverage, LatencyTable
from bnas_deploy.nn.config import CONFIGS
from bnas_deploy.search.space import PAPER_SPACE

MACHINE = {"cpu": "made up", "architecture": "none", "isa": "none", "bnas_deploy": "0"}


def made_up_seconds(key):
    """Time in proportion to the work, as a table's interpolation takes it to be."""
    eights = [-(-c // 8) for c in (key.inputs, key.outputs)]
    if key.work.startswith("binary_conv"):
        kernel = int(key.work.split("kernel=")[1][0])
        return 1e-10 * math.prod(key.size) * math.prod(eights) * kernel**2
    if "conv" in key.work:
        return 1e-12 * math.prod(key.size) * key.inputs * key.outputs
    channels = key.inputs if key.work.startswith("add_slice") else key.outputs
    return 1e-10 * math.prod(key.size) * max(channels, 1)


def small_network():
    """Five cells for images of 8 pixels."""
    config = CONFIGS["Mini"].to_dict()
    changes = {"image_size": 8, "layers": 5, "channels": 8, "shortcut": "pool1x1"}
    return type(CONFIGS["Mini"]).from_dict({**config, **changes})


def small_coverage():
    """What the table is of."""
    return Coverage(PAPER_SPACE, (8, 16, 32), 8, "cifar10", ("pool1x1",), ("paper",), ("shortcut",))


@cache
def small_table():
    """A table for that network and wider ones."""
    base, covers = small_network(), small_coverage()
    steps = {}
    for seed, config in enumerate(probes(base, covers)):
        model = pack_random(config, eight_bit=covers.eight_bit, seed=seed)
        steps |= {key: made_up_seconds(key) for key in step_keys(model.program, model.tensors)}
    return LatencyTable(MACHINE, covers, 1e-6, {"median": 0.0, "nine_in_ten": 0.0}, steps)
