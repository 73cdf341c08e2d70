"""Modules of PyTorch become packed models without a file between, or are refused in their words."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from support.binary_layer_classes import AssignedConv, BiRealConv, Network, network
from support.torch_modules import Does, chain
from torch import nn
from torch.nn import functional

import bnas_deploy
from bnas_deploy import engine
from bnas_deploy.converters.from_program.export import exported_module
from bnas_deploy.converters.from_program.source import program_source
from bnas_deploy.errors import ConversionError, UsageError
from bnas_deploy.format import Preprocessing

IMAGES = torch.zeros(2, 3, 8, 8)


def converted(module, example=IMAGES, **options):
    """Convert, with the self-check; the reference backend must agree with the module, too."""
    packed, report = bnas_deploy.convert(module, example, allow_float=True, **options)
    images = np.random.default_rng(1).standard_normal((5, *example.shape[1:])).astype(np.float32)
    with torch.no_grad():
        expected = module(torch.from_numpy(images)).numpy().reshape(5, -1)
    shape = packed.program.values[packed.program.input].shape
    got = engine.create(packed, backend="reference").run(images.reshape(5, *shape))
    assert np.abs(got - expected).max() <= 2e-5 * max(1, np.abs(expected).max())
    return packed, report


def floats(report):
    return [kept.layer for kept in report.kept if kept.op in ("conv", "linear")]


def refusal(module, example=IMAGES, **options):
    with pytest.raises(ConversionError) as error:
        bnas_deploy.convert(module, example, **{"allow_float": True, **options})
    return str(error.value)


def test_float_layers_are_named_as_the_users_modules():
    lines = refusal(network("Bi-Real Net"), torch.zeros(1, 3, 10, 12), allow_float=False)
    first, *obstacles = lines.splitlines()
    assert first == "Network cannot be converted, 2 obstacles:"
    assert [line.split()[0] for line in obstacles] == ["stem", "classifier"]
    assert all(line.endswith("pass --allow-float") for line in obstacles)


def test_labels_and_preprocessing_are_stored():
    pixels = Preprocessing(9, (8, 8), (0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
    labels = [f"class {i}" for i in "abcde"]
    packed, report = converted(chain(), labels=labels, preprocessing=pixels)
    assert (list(packed.labels), packed.preprocessing) == (labels, pixels)
    assert report.self_check.against == "PyTorch"
    assert packed.provenance["source"] == {"module": "Sequential"}


def test_what_is_assigned_to_data_is_followed():
    module = Network(AssignedConv).eval()
    _, report = converted(module)
    assert floats(report) == ["stem", "classifier"]


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_any_batch_of_the_example(batch):
    body = Does(lambda x: x.view(x.size(0), -1).view(-1, 8, 8, 8).flatten(1).reshape(-1, 512))
    module = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), body, nn.Linear(512, 5)).eval()
    converted(module, torch.zeros(batch, 3, 8, 8))


def test_the_module_is_as_before():
    module = chain(nn.Dropout()).train()
    module[0].eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    bnas_deploy.convert(module, IMAGES, allow_float=True)
    assert [part.training for part in (module, module[0], module[1])] == [True, False, True]
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_a_softmax_at_the_end_is_left_out_and_the_logits_compared():
    module = nn.Sequential(chain(BiRealConv(8)), nn.Softmax(1)).eval()
    packed, report = bnas_deploy.convert(module, IMAGES, allow_float=True)
    assert any(note.startswith("Softmax behind the logits: left out") for note in report.notes)
    images = np.random.default_rng(0).standard_normal((4, 3, 8, 8)).astype(np.float32)
    logits = engine.create(packed).run(images)
    with torch.no_grad():
        expected = module[0](torch.from_numpy(images)).numpy()
    assert np.allclose(logits, expected, atol=1e-5)


def test_every_obstacle_is_listed_with_the_users_module():
    module = chain(
        nn.Upsample(scale_factor=2),
        nn.ConvTranspose2d(8, 8, 1),
        Does(lambda x: functional.dropout(x, 0.5, training=True)),
        Does(lambda x: functional.batch_norm(x, None, None, training=True)),
        Does(lambda x: x + torch.rand(8, 1, 1)),
    )
    first, *obstacles = refusal(module).splitlines()
    assert first == "Sequential cannot be converted, 5 obstacles:"
    expected = [
        ("1", "upsample_nearest2d", "this operator of PyTorch is not understood"),
        ("2", "convolution", "a transposed convolution"),
        ("3.native_dropout", "native_dropout", "drops values (training mode)"),
        ("4.native_batch_norm_legit", "_native_batch_norm_legit", "normalises by the batch"),
        ("5.add", "add", "rand draws numbers"),
    ]
    for line, (name, op, reason) in zip(obstacles, expected, strict=True):
        assert line.startswith(f"  {name} ({op}): {reason}"), line


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (chain(Does(lambda x: x if x.sum() > 0 else -x)), "torch.export cannot follow this module"),
        (chain(nn.Conv2d(4, 4, 3)), "does not run on an input of shape [2, 3, 8, 8]: RuntimeError"),
        (chain(Does(lambda x: (x, x)), nn.Identity()), "does not run on an input of shape"),
        (
            nn.Sequential(chain(), Does(lambda x: (x, x))),
            "expected one output, (N, classes); got 2",
        ),
        (Does(lambda x: torch.ones(x.shape[0], 5)), "its output does not depend on its input"),
        (chain(Does(lambda x: x.mean(0, keepdim=True))), "reduces the batch"),
    ],
)
def test_what_cannot_be_followed_is_one_message(module, message, capfd):
    assert message in refusal(module)
    assert capfd.readouterr() == ("", "")


def test_squeezing_a_batch_of_one_is_explained():
    module = nn.Sequential(chain(), Does(lambda x: x.squeeze())).eval()
    assert "give an example of two inputs" in refusal(module, torch.zeros(1, 3, 8, 8))
    converted(module)


@pytest.mark.parametrize(
    ("module", "example", "message"),
    [
        (len, IMAGES, "expected a torch.nn.Module; got builtin_function_or_method"),
        (chain(), np.zeros((2, 3, 8, 8)), "expected an example input (N, C, H, W)"),
        (chain(), torch.zeros(3, 8, 8), "got [3, 8, 8]"),
        (chain(), IMAGES.double(), "expected numbers in float32; got torch.float64"),
        (chain().half(), IMAGES, "got torch.float16; call module.float()"),
    ],
)
def test_mistakes_of_the_caller(module, example, message):
    with pytest.raises(UsageError) as error:
        bnas_deploy.convert(module, example)
    assert message in str(error.value)


def test_no_onnx_is_imported():
    code = "import sys, bnas_deploy; bnas_deploy.convert; print('torch' in sys.modules,"
    code += " *({'onnx', 'onnxruntime', 'onnxscript'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.split() == ["True"]


def test_the_self_check_sees_what_the_users_layers_make():
    module = network("Bi-Real Net")
    source = program_source(exported_module(module, torch.zeros(2, 3, 6, 5)), allow_float=True)
    inside = source.original.inside
    names = ["stem", "layers.0", "norms.1", "classifier"]
    assert set(names) <= set(inside.layers)
    seen = {}
    for name in names:
        module.get_submodule(name).register_forward_hook(
            lambda _, x, y, name=name: seen.update({name: y.numpy()})
        )
    images = np.random.default_rng(0).standard_normal((3, 3, 6, 5)).astype(np.float32)
    found = inside.run(images, names)
    with torch.no_grad():
        module(torch.from_numpy(images))
    for name in names:
        assert np.allclose(found[name].reshape(seen[name].shape), seen[name], atol=1e-5), name


def test_an_older_pytorch_is_named(monkeypatch):
    monkeypatch.delattr(torch.export, "default_decompositions")
    with pytest.raises(UsageError, match=r"needs a newer one"):
        bnas_deploy.convert(nn.Linear(4, 2), torch.zeros(1, 4))


class Quantile(nn.Module):
    """Weights clipped at a number that is taken out of a tensor, as ReCU's."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3)
        self.weight = nn.Parameter(torch.randn(8, 8, 3, 3))
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        bound = self.weight.abs().mean().item()
        y = self.stem(x).sign()
        y = functional.conv2d(y, self.weight.clamp(-bound, bound).sign())
        return self.head(y.mean((2, 3)))


class Filled(Quantile):
    """Signs assigned into a tensor whose numbers are whatever was in memory."""

    def forward(self, x):
        x = self.stem(x)
        y = x.new(x.size())
        y[x >= 0] = 1
        y[x < 0] = -1
        return self.head(functional.conv2d(y, self.weight.sign()).mean((2, 3)))


@pytest.mark.parametrize("kind", [Quantile, Filled])
def test_numbers_out_of_tensors_and_tensors_without_numbers(kind):
    _, report = converted(kind().eval())
    assert floats(report) == ["stem", "head"]
