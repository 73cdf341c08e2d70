"""A state_dict as the authors' release saves it, written out by hand, fits our networks."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from support.release_checkpoints import FULL, ZEROISE, release

from bnas_deploy.nn.config import CONFIGS
from bnas_deploy.nn.genotype import LATEST_CELL
from bnas_deploy.nn.network import build_network


@pytest.mark.parametrize(
    ("config", "edges"),
    [
        (CONFIGS["Mini"], ZEROISE),
        (CONFIGS["A"], ZEROISE),
        (CONFIGS["B"], ZEROISE),
        (CONFIGS["C"], ZEROISE),
        (replace(CONFIGS["A"], genotype=LATEST_CELL), FULL),
        (CONFIGS["D"], FULL),
        (CONFIGS["F"], FULL),
        (CONFIGS["G"], FULL),
        (CONFIGS["H"], FULL),
    ],
)
def test_a_checkpoint_of_the_release_fits_as_it_is(config, edges):
    torch.manual_seed(0)
    imagenet = config.dataset == "imagenet"
    config = replace(config, channels=4, classes=7)
    values = release(config.layers, 4, edges, 7, imagenet=imagenet)
    # Channels that never lived: the statistics of a constant zero.
    values["cells.1.preprocess0.bn.running_mean"].zero_()
    values["cells.1.preprocess0.bn.running_var"].fill_(1e-12)
    network = build_network(config).eval()
    network.load_state_dict(values, strict=True)
    for name, value in network.state_dict().items():
        assert torch.equal(value, values[name]), name
    with torch.no_grad():
        assert network(torch.rand(1, 3, 64, 64)).isfinite().all()
