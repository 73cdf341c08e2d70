"""The program against the lowered graph, step by step, each step given the program's own inputs.

So no difference can spread, and each step has to agree by itself: bits and integers exactly, floats
of binary convolutions and additions to the bit, other floats within the rounding of their sums.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.random_networks import images_for, random_network
from support.small_graphs import SmallGraph, node

from bnas_deploy.bits import unpack_rows
from bnas_deploy.converters.from_torch.network import network_graph
from bnas_deploy.converters.graph.evaluate import evaluate_node
from bnas_deploy.converters.packing.emit import emit
from bnas_deploy.converters.passes.eliminate_dead import EliminateDead
from bnas_deploy.converters.passes.pipeline import run_pipeline
from bnas_deploy.engine.reference.backend import ReferenceRunner
from bnas_deploy.errors import ConversionError
from bnas_deploy.format import PackedModel, Preprocessing, steps, validate

SUMS = {"conv", "linear", "global_avg_pool", "avg_pool"}


def packed(graph) -> PackedModel:
    program, tensors = emit(graph)
    shape = graph.input_shape
    preprocessing = Preprocessing(max(shape[1:]), shape[1:], (0.0,) * 3, (1.0,) * 3)
    classes = graph.values[graph.output].shape[0]
    model = PackedModel(program, tensors, preprocessing, tuple(map(str, range(classes))))
    validate(model)
    return model


@pytest.mark.parametrize("seed", range(20))
def test_every_step_does_what_its_node_does(seed):
    network = random_network(seed, zeroise=(0.3, 0.6, 0.9)[seed % 3])
    graph, _ = run_pipeline(network_graph(network))
    images = images_for(network, 2, seed).numpy()
    traced = ReferenceRunner(packed(graph)).trace(images)
    values = {
        name: np.where(v, -1, 1).astype(np.float32) if v.dtype == bool else v
        for name, v in traced.items()
    }
    for n in graph.nodes:
        inputs = [values[name] for name in n.inputs] or [images]
        for name, want in zip(n.outputs, evaluate_node(n, inputs), strict=True):
            got = values[name]
            room = 1e-5 * (1 + np.abs(want).max()) if n.op in SUMS else 0
            assert got.shape == want.shape
            assert np.abs(got - want).max() <= room, name


def test_weight_rows_are_in_the_order_of_the_specification():
    g = SmallGraph()
    graph, _ = run_pipeline(g.graph(g.mean("m", g.unit("u", "image", 5))))
    weight = node(graph, "u").constants["weight"]
    single = graph.with_nodes(_single(n) for n in graph.nodes)
    program, tensors = emit(single)
    (step,) = [s for s in program.steps if isinstance(s, steps.BinaryConv2d)]
    bits = unpack_rows(tensors[step.weight], 27).reshape(5, 3, 3, 3)  # (O, ky, kx, c)
    assert np.array_equal(bits, weight.transpose(0, 2, 3, 1) < 0)


def test_tensor_names_are_short_and_readable():
    _, tensors = emit(run_pipeline(network_graph(random_network(0)))[0])
    assert {"stem.weight", "stem.bn.scale", "cell1.edge1.weight", "cell1.edge1.scale"} <= set(
        tensors
    )
    assert {"cell1.edge1.bits.threshold", "cell1.edge1.bits.flip", "classifier.bias"} <= set(
        tensors
    )


def test_float64_is_refused():
    graph, _ = run_pipeline(network_graph(random_network(0, double=True)))
    with pytest.raises(ConversionError, match="float32, int32 or packed bits; got float64"):
        emit(graph)


def test_a_graph_that_was_not_lowered_is_refused():
    with pytest.raises(ConversionError, match="batch_norm has no step in the format"):
        emit(network_graph(random_network(0)))


def _single(n):
    floats = {k: a.astype(np.float32) for k, a in n.constants.items() if a.dtype == np.float64}
    return n.with_constants(**floats)


@pytest.mark.parametrize(("size", "stride"), [((6, 5), 1), ((3, 3), 2), ((2, 2), 3), ((1, 1), 5)])
def test_zeros_of_a_resolution_are_made_from_the_picture(size, stride):
    g = SmallGraph((3, 6, 5))
    x = g.mean("m", g.zero("z", (4, *size)))
    program, tensors = emit(g.graph(x))
    thin, select = program.steps[:2]
    assert isinstance(thin, steps.MaxPool2d)
    assert isinstance(select, steps.SelectChannels)
    assert stride in thin.stride
    assert (tensors[select.index] == -1).all()
    images = np.ones((2, 3, 6, 5), np.float32)
    assert ReferenceRunner(packed(g.graph(x))).trace(images)["z"].shape == (2, 4, *size)


def test_zeros_that_no_stride_reaches_are_refused():
    g = SmallGraph((3, 6, 5))
    graph = g.graph(g.mean("m", g.zero("z", (4, 5, 5))))
    with pytest.raises(ConversionError, match="no stride turns 6 pixels into 5"):
        emit(graph)


SLOPE = np.array([1, np.nan, -0.0], np.float32)


@pytest.mark.parametrize(
    ("other", "refused"),
    [(SLOPE, False), (SLOPE + 0, True), (SLOPE[:, None], True), (SLOPE.view(np.int32), True)],
)
def test_one_name_for_two_tensors_is_refused(other, refused):
    g = SmallGraph()
    graph = g.graph(g.prelu("b", g.prelu("a", "image")))
    first, second = (node.with_constants(slope=SLOPE) for node in graph.nodes)
    nodes = (first, replace(second.with_constants(slope=other), name="a"))
    graph = replace(graph, nodes=nodes)
    if refused:
        with pytest.raises(ConversionError, match=r"a\.slope: two tensors would have this name"):
            emit(graph)
    else:
        assert list(emit(graph)[1]) == ["a.slope"]


def test_what_nobody_reads_is_never_emitted():
    g = SmallGraph()
    g.relu("unused", "image")
    graph, _ = EliminateDead()(g.graph(g.mean("m", "image")))
    assert [step.OP for step in emit(graph)[0].steps] == ["global_avg_pool"]
