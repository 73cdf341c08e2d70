"""Tests that a training pass is one graph for torch.compile, and stays the same one.

The graph is traced here and run as it is; machine code for it takes minutes.
"""

from __future__ import annotations

import pytest
import torch

from bnas_deploy.errors import UsageError
from bnas_deploy.training.machine.device import Runtime, choose_runtime


class Quiet:
    def step(self, trainer, loss, accuracy):
        pass

    def epoch(self, trainer, row):
        pass


@pytest.fixture
def graphs(monkeypatch):
    """Count the graphs that are traced; a break in one is an error."""
    compiled, found = torch.compile, []

    def trace(network, mode):
        def run_as_it_is(graph, inputs):
            found.append(mode)
            return graph.forward

        return compiled(network, backend=run_as_it_is, fullgraph=True)

    torch._dynamo.reset()
    monkeypatch.setattr(torch, "compile", trace)
    return found


@pytest.mark.filterwarnings("ignore")
def test_one_graph_serves_all_probabilities_of_drop_path(make_trainer, graphs):
    trainer = make_trainer(runtime=Runtime(compile="on"), epochs=4, drop_path=0.5)
    assert trainer.run(Quiet())
    # In the first epoch the probability is 0: nothing is drawn.
    assert graphs == ["default"] * 2


@pytest.mark.filterwarnings("ignore")
def test_a_compiled_step_is_the_plain_one(make_trainer, graphs):
    plain, compiled = (make_trainer(runtime=Runtime(compile=name)) for name in ("off", "on"))
    for trainer in (plain, compiled):
        trainer.stop = True
        trainer.run(Quiet())
    for name, value in plain.network.state_dict().items():
        assert torch.allclose(compiled.network.state_dict()[name], value, atol=1e-6), name
    assert len(graphs) == 1


@pytest.mark.parametrize("share", [1.0, 0.75])
def test_drop_path_that_reads_a_tensor(make_trainer, share):
    network = make_trainer().network
    Runtime().install_tensor_drop(network).fill_(share)
    out = network.cells[0].drop(torch.ones(4000, 2, 1, 1), 1.0)
    kept = (out != 0).float().mean().item()
    assert kept == pytest.approx(share, abs=0.03)
    assert out.max() == pytest.approx(1 / share)
    assert torch.equal(out[:, 0], out[:, 1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"compile": "graphs"}, "need a GPU"),
        ({"compile": "on", "processes": 2}, "a single process"),
        ({"compile": "on", "amp": "bf16", "fused": "on"}, "--fused on"),
        ({"processes": 2, "amp": "bf16", "fused": "on"}, "--fused on"),
    ],
)
def test_what_does_not_go_together(options, message):
    with pytest.raises(UsageError, match=message):
        choose_runtime(device="cpu", **options)


def test_several_processes_have_plain_units():
    runtime = choose_runtime(device="cpu", amp="bf16", processes=2)
    assert not runtime.fused
    assert str(runtime).startswith("2 processes on CPU")
    assert "plain units (BatchNorm is shared by the processes)" in str(runtime)
    assert str(Runtime(compile="on")).endswith("float32, compiled")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("compile_", ["off", "graphs"])
def test_training_on_a_gpu(make_trainer, compile_):
    runtime = choose_runtime(device="cuda", amp="bf16", compile=compile_)
    trainer = make_trainer(runtime=runtime, epochs=5, drop_path=0.2)
    assert trainer.run(Quiet())
    first, last = trainer.progress.history[0], trainer.progress.history[-1]
    assert last["train_loss"] < first["train_loss"]
