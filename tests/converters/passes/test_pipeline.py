"""Every pass on whole random networks, in float64.

There no pre-activation is as near to its threshold as rounding (1e-13 of it), so each pass has to
give the same logits to 1e-9: nothing has to be excused, and no tolerance can hide a wrong sign.
"""

from __future__ import annotations

import numpy as np
import pytest
from support.random_networks import images_for, random_network
from support.release_checkpoints import ZEROISE, trained
from support.small_graphs import SmallGraph, ops_of

from bnas_deploy.converters.from_release.network import release_graph
from bnas_deploy.converters.from_torch.network import network_graph
from bnas_deploy.converters.graph.evaluate import evaluate
from bnas_deploy.converters.passes.base import Pass
from bnas_deploy.converters.passes.pipeline import PIPELINE, run_pipeline
from bnas_deploy.converters.passes.schedule import Schedule
from bnas_deploy.errors import ConversionError, PassError
from bnas_deploy.nn.config import SHORTCUTS, NetworkConfig
from bnas_deploy.nn.genotype import LATEST_CELL_ZEROISE

STEPS = {"conv", "linear", "affine", "relu", "binarize", "packed_conv", "max_pool", "avg_pool"}
STEPS |= {"add_slice", "concat", "select_channels", "global_avg_pool", "zero", "packed_depthwise"}


@pytest.mark.parametrize("seed", range(24))
def test_every_pass_keeps_the_meaning_and_is_idempotent(seed):
    # Every third network has twice or three times as many Zeroise edges.
    network = random_network(seed, zeroise=(0.3, 0.6, 0.9)[seed % 3], double=True)
    images = images_for(network, 2, seed).numpy()
    graph = network_graph(network)
    want = evaluate(graph, images)
    for step in PIPELINE:
        graph, modified = step(graph)
        if modified:
            assert np.abs(evaluate(graph, images) - want).max() < 1e-9, step.name
        assert step(graph) == (graph, False), step.name
    assert STEPS.issuperset(ops_of(graph))


def test_every_pass_did_something_to_some_network():
    busy = set()
    for seed in range(6):
        network = random_network(seed, shortcut=SHORTCUTS[seed % len(SHORTCUTS)])
        _, records = run_pipeline(network_graph(network))
        busy |= {record.name for record in records if record.modified}
    weights = trained(4, 4, ZEROISE, 3, imagenet=False)
    config = NetworkConfig("release", 4, 4, LATEST_CELL_ZEROISE, classes=3, image_size=8)
    _, records = run_pipeline(release_graph(weights, config).graph)
    busy |= {record.name for record in records if record.modified}
    g = SmallGraph()  # what no network of BNAS has: BatchNorms behind, and pools before signs
    x = g.norm("n", g.binary("c", g.sign("s", g.pool("p", "image")), 3))
    p = g.plus("p2", g.relu("r1", x), g.scaled("b", g.relu("r2", g.scaled("a", x, -1)), 0.5))
    _, records = run_pipeline(g.graph(g.mean("m", p)))
    busy |= {record.name for record in records if record.modified}
    assert busy == {step.name for step in PIPELINE}


def test_records_say_what_went():
    _, records = run_pipeline(network_graph(random_network(0)))
    assert [record.name for record in records] == [step.name for step in PIPELINE]
    (zeros,) = [record for record in records if record.name == "remove_zero"]
    assert ("cell0.edge0", "zero") in zeros.removed
    assert zeros.before is not zeros.after


class Breaks(Pass):
    """Leaves what it promised to remove."""

    name = "breaks"
    absent_after = frozenset({"relu"})

    def rewrite(self, graph):
        return graph


class Raises(Pass):
    """Makes a graph that is none."""

    name = "raises"

    def rewrite(self, graph):
        return graph.with_nodes([], "gone")


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (
            Breaks(),
            r"pass breaks: should have removed relu; found r \(passes already run: schedule\)",
        ),
        (Raises(), r"pass raises: .*'gone' is not assigned.*already run: schedule\)"),
    ],
)
def test_a_failure_names_the_pass_and_those_before_it(step, message):
    g = SmallGraph()
    graph = g.graph(g.relu("r", "image"))
    with pytest.raises(PassError, match=message) as caught:
        run_pipeline(graph, [Schedule(), step])
    assert isinstance(caught.value.__cause__, ConversionError)


def test_the_published_cell_is_fused_as_planned():
    """A normal cell of latest_cell_zeroise: four binary convolutions, no addition by itself."""
    graph, _ = run_pipeline(network_graph(random_network(0)))
    inside = [n for n in graph.nodes if n.name.startswith("cell1.")]
    convs = [n for n in inside if n.op == "packed_conv"]
    assert [n.name for n in convs] == [
        "cell1.preprocess0",
        "cell1.preprocess1",
        "cell1.edge1",
        "cell1.edge2",
    ]
    assert {n.op for n in inside} == {"packed_conv", "binarize"}
    stages = [n.attributes["stages"][0] for n in convs]
    channels = graph.values["cell1.preprocess0.bits"].shape[0] // 3
    assert [s.kind for s in stages] == ["threshold", "threshold", "scale", "scale"]
    assert [s.at for s in stages[2:]] == [0, channels]
    assert all(s.addend == 1 for s in stages[2:])


def test_half_of_the_first_cells_channels_are_gone():
    network = random_network(0)
    graph, _ = run_pipeline(network_graph(network))
    live = 2 * network.config.channels
    first_reduction = network.config.reductions[0]
    for index in range(first_reduction):
        name = "cell0.concat" if index == 0 else f"cell{index}.out"
        assert graph.values[name].shape[0] == live
    assert graph.values[f"cell{first_reduction}.out"].shape[0] == 4 * live
