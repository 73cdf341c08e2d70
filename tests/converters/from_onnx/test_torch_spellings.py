"""A sample of the ways in which people write binary layers, exported by PyTorch in both ways.

`make spellings` tries all of them (docs/spellings.md).
"""

from __future__ import annotations

import pytest
from support.spellings import SPELLINGS, network
from support.spellings.exporting import exported, outcome

NOT_BINARY = {
    "where(x.abs() < 1e-8, 1, sign(x))",  # more than one threshold
    "logical_and, logical_or",
    "stack([-x, x]).argmax(0) * 2 - 1",
    "x * rsqrt(x * x + 1e-16)",
    "(x / x.abs()).nan_to_num(1)",
    "sign(sin(clamp(x)))",
    "reflected padding",
    "strided, then upsampled",
    "unfold and matmul",
    "InstanceNorm in front",
    "GroupNorm in front",
    "LayerNorm in front",
    "GroupNorm behind",
    "GELU behind",
    "ELU behind",
    "SELU behind",
    "CELU behind",
    "Softplus behind",
    "Softsign behind",
    "Mish behind",
    "a gate of Softmax",
}
"""Refused, or in full precision."""

NOT_EXPORTED = {
    "x.sgn()",
    "((x > 0) ^ True).float() * -2 + 1",
    "1 - 2 * signbit(x).float()",
    "heaviside(x, 1) * 2 - 1",
    "copysign(1, x)",
    "2 * trunc(clamp(x + 1, 0, 1)) - 1",
    "0 and 1: heaviside(x, 0)",
    "rotated by matrices",
    "stored as packed bits",
    "nn.ChannelShuffle",
}
"""By one exporter at least."""

ALL = [(kind, name) for kind, table in SPELLINGS.items() for name in table]
SAMPLE = [(kind, name) for kind, name in ALL if name not in NOT_EXPORTED]


def found(kind, name, exporter, folder):
    model = network(SPELLINGS[kind][name])
    return outcome(model, exported(model, folder / "model.onnx", exporter))


@pytest.mark.parametrize(("kind", "name"), SAMPLE[::8])
def test_torchscript(kind, name, tmp_path):
    result = found(kind, name, "TorchScript", tmp_path)
    assert result.all_binary is (name not in NOT_BINARY)
    assert result.right or result.refused


@pytest.mark.parametrize(("kind", "name"), [x for x in SAMPLE if x[1] not in NOT_BINARY][::34])
def test_torch_export(kind, name, tmp_path):
    pytest.importorskip("onnxscript", reason="PyTorch's new exporter needs it")
    assert found(kind, name, "torch.export", tmp_path).all_binary


@pytest.mark.parametrize(("kind", "name"), [x for x in ALL if x[1] not in NOT_BINARY][3::34])
def test_without_a_file(kind, name):
    assert outcome(network(SPELLINGS[kind][name]), None).all_binary


def test_names_are_those_of_spellings():
    assert {name for _, name in ALL} >= NOT_BINARY | NOT_EXPORTED
