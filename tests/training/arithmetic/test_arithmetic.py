"""Tests that convolutions which are computed wrong here are found and computed in another way."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from bnas_deploy.errors import TrainingError
from bnas_deploy.nn.config import get_config
from bnas_deploy.nn.network import build_network
from bnas_deploy.training.arithmetic import trial, ways
from bnas_deploy.training.arithmetic.convolutions import Convolutions
from bnas_deploy.training.arithmetic.survey import survey
from bnas_deploy.training.machine.device import Runtime, choose_runtime

BF16 = torch.bfloat16


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first = torch.nn.Conv2d(3, 8, 3, padding=2, dilation=2)
        self.second = torch.nn.Conv2d(8, 8, 3, stride=2, groups=2)
        self.to(memory_format=torch.channels_last)

    def forward(self, x):
        return self.second(self.first(x)).square().mean()


def images():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(4, 3, 12, 12, generator=generator).contiguous(
        memory_format=torch.channels_last
    )


def gradients(net, convolutions, *, dtype=BF16):
    net.zero_grad()
    with torch.autocast("cpu", dtype, enabled=dtype != torch.float32), convolutions.used():
        net(images().requires_grad_()).backward()
    return {name: p.grad.clone() for name, p in net.named_parameters()}


def find(net, dtype=BF16):
    return survey(net, lambda convolutions: gradients(net, convolutions, dtype=dtype))


@pytest.fixture
def broken(monkeypatch):
    """Break a part of the dilated convolution of channels-last tensors, or of all below float32."""

    def break_(part, *, layout_matters=True, error=0.1, everywhere=False):
        right = ways._compute

        def wrong(this, x, weight, bias, grad, geometry):
            result = right(this, x, weight, bias, grad, geometry)
            layout = x.is_contiguous(memory_format=torch.channels_last) or not layout_matters
            if this == part and geometry.dilation == (2, 2) and layout and x.dtype == BF16:
                return result * (1 + error)
            return result * 2 if everywhere and torch.backends.mkldnn.enabled else result

        monkeypatch.setattr(ways, "_compute", wrong)

    return break_


@pytest.mark.parametrize("dtype", [torch.float32, BF16])
def test_nothing_changes_where_convolutions_are_right(dtype):
    net = Net()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    found = find(net, dtype)
    assert found.ways == {}
    assert found.told() == []
    assert not isinstance(found.used(), Convolutions)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(p.grad is None for p in net.parameters())


@pytest.mark.parametrize("part", ways.PARTS)
@pytest.mark.parametrize("layout_matters", [True, False])
def test_a_broken_part_is_found_and_computed_in_another_way(broken, part, layout_matters):
    broken(part, layout_matters=layout_matters)
    found = find(Net())
    ((geometry, wrong),) = found.ways
    assert (str(geometry), wrong) == ("3x3 dilation 2 at 12x12", part)
    way = "contiguous layout" if layout_matters else "float32"
    (told,) = found.told()
    assert told.startswith(f"bfloat16 convolutions 3x3 dilation 2 at 12x12: {part} wrong in")
    assert told.endswith(f" channels-last layout here; computed in {way}")
    assert str(Runtime(convolutions=found)).endswith(told)


def test_a_remedy_gives_the_right_gradients(broken):
    net = Net()
    plain = gradients(net, Convolutions())
    broken("weight gradients", error=100)
    repaired = gradients(net, find(net))
    for name, value in plain.items():
        torch.testing.assert_close(repaired[name], value, rtol=0.02, atol=0.02 * value.abs().max())


def test_what_nothing_repairs_is_an_error(broken):
    broken("outputs", everywhere=True)
    with pytest.raises(TrainingError, match=r"computed wrong on this machine.*3x3 dilation 2"):
        find(Net())


def test_memory_that_is_never_written_is_found(monkeypatch):
    right = ways._compute

    def forgets(part, x, weight, bias, grad, geometry):
        result = right(part, x, weight, bias, grad, geometry)
        if part != "weight gradients" or x.dtype != BF16:
            return result
        # A buffer of which nobody writes the last row, as in the fault that was met.
        buffer = torch.empty(1 << 16, dtype=BF16)
        buffer[:-1024] = 0
        return result + buffer.sum()

    monkeypatch.setattr(ways, "_compute", forgets)
    monkeypatch.setattr(trial, "_SIZES", (1 << 16,))
    assert {part for _, part in find(Net()).ways} == {"weight gradients"}


def test_other_processes_findings_count_here_too():
    net = Net()
    geometry = next(iter(_geometries(net)))
    theirs = [{(geometry, "outputs"): ways.REMEDIES[0]}, {}]

    def share(own):
        return [own, theirs.pop(0)]

    found = survey(net, lambda convolutions: gradients(net, convolutions), share)
    assert found.ways == {(geometry, "outputs"): ways.REMEDIES[0]}


def _geometries(net):
    from bnas_deploy.training.arithmetic.survey import _Trials

    tried = set()
    with _Trials(tried):
        gradients(net, Convolutions())
    return [geometry for geometry, part in tried if part == "outputs"]


class _Watch(TorchDispatchMode):
    """Note the layout in which weight gradients are computed."""

    def __init__(self):
        super().__init__()
        self.layouts = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten.convolution_backward.default and args[-1][1]:
            self.layouts.append(args[1].is_contiguous())
        return func(*args, **(kwargs or {}))


def test_a_trainer_checks_before_it_trains(make_trainer, monkeypatch):
    trainer = make_trainer(runtime=Runtime(bf16=True), epochs=1)
    found = Convolutions({(g, "weight gradients"): ways.REMEDIES[0] for g in _of_cells(trainer)})
    monkeypatch.setattr("bnas_deploy.training.steps.computation.survey", lambda *args: found)
    trainer.check_arithmetic()
    assert trainer.runtime.convolutions is found
    trainer.stop = True
    with _Watch() as watch:
        trainer.run(_Quiet())
    assert sum(watch.layouts) >= len(found.ways)
    assert "computed in contiguous layout" in str(trainer.phases[-1]["runtime"])


def _of_cells(trainer):
    from bnas_deploy.training.arithmetic.survey import _Trials

    tried = set()
    with _Trials(tried):
        trainer.computation.gradients(trainer.batches.trial(), label_smoothing=0.0, stop=False)
    return {geometry for geometry, _ in tried if geometry.weight[2:] == (3, 3)}


class _Quiet:
    def step(self, trainer, loss, accuracy):
        pass

    def epoch(self, trainer, row):
        pass


@pytest.mark.filterwarnings("ignore")
def test_remedies_work_in_a_compiled_pass(monkeypatch):
    net = Net()
    remedies = {(g, part): ways.REMEDIES[0] for g in _geometries(net) for part in ways.PARTS}
    plain = gradients(net, Convolutions(remedies))
    torch._dynamo.reset()
    compiled = torch.compile(net, backend="aot_eager", fullgraph=True)
    for name, value in gradients(compiled, Convolutions(remedies)).items():
        torch.testing.assert_close(value, plain[name.removeprefix("_orig_mod.")], rtol=1e-2, atol=0)


@pytest.mark.slow
def test_gradients_of_a_real_step_are_those_of_float32():
    """On every machine, in the default runtime: each convolution's, from the same rounded inputs.

    (Whole steps cannot be compared: one rounding turns a sign, and with it all that follows.)
    """
    torch.manual_seed(0)
    runtime = choose_runtime(device="cpu")
    net = runtime.prepare(build_network(get_config("Mini")))
    x = torch.randn(16, 3, 32, 32).contiguous(memory_format=torch.channels_last)

    def step(convolutions):
        with torch.autocast("cpu", BF16, enabled=runtime.bf16), convolutions.used():
            logits = net(x).float()
        functional.cross_entropy(logits, torch.arange(16) % 10).backward()

    convolutions = survey(net, step)
    with _Compare() as compare:
        step(convolutions)
    assert len(compare.off) > 30
    assert max(compare.off) < 0.01


@pytest.mark.slow
def test_equal_steps_give_equal_bits_whatever_memory_held():
    runtime = choose_runtime(device="cpu")
    x = torch.randn(16, 3, 32, 32, generator=torch.Generator().manual_seed(0))

    def gradients_of_a_step(junk):
        torch.manual_seed(0)
        net = runtime.prepare(build_network(get_config("Mini")))

        def step(convolutions):
            with torch.autocast("cpu", BF16, enabled=runtime.bf16), convolutions.used():
                logits = net(x.contiguous(memory_format=torch.channels_last)).float()
            functional.cross_entropy(logits, torch.arange(16) % 10).backward()

        convolutions = survey(net, step)
        trial.poison(junk, torch.device("cpu"))
        step(convolutions)
        return [p.grad for p in net.parameters() if p.grad is not None]

    for one, other in zip(gradients_of_a_step(1e4), gradients_of_a_step(-3.0), strict=True):
        assert torch.equal(one, other)


class _Compare(TorchDispatchMode):
    """Compare weight gradients with float32's, as a share of their norms."""

    def __init__(self):
        super().__init__()
        self.off = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        conv = func is torch.ops.aten.convolution_backward.default and args[-1][1]
        if conv:
            trial.poison(1e4, torch.device("cpu"))
        result = func(*args, **(kwargs or {}))
        if conv:
            floats = [t.float().contiguous() for t in args[:3]]
            expected = func(*floats, *args[3:])[1]
            self.off.append(float((result[1].float() - expected).norm() / expected.norm()))
        return result
