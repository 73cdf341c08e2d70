"""Tests of a packed network as a module of PyTorch: the engine's bits in every way to run it."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from support.small_models import mean_colour_model, picture_model, written  # noqa: E402

import bnas_deploy  # noqa: E402
from bnas_deploy.errors import FormatError, UsageError  # noqa: E402
from bnas_deploy.format.writer import to_bytes  # noqa: E402
from bnas_deploy.integrations.pytorch import PackedNetwork  # noqa: E402


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return written(tmp_path, picture_model())


@pytest.fixture
def network(path: Path) -> PackedNetwork:
    return PackedNetwork(path, backend="reference")


def images(count: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(count).normal(size=(count, 3, 8, 8)).astype("f4"))


def expected(path: Path, x: torch.Tensor) -> np.ndarray:
    return bnas_deploy.load(path, backend="reference").run(x.numpy())


def same(found: torch.Tensor, path: Path, x: torch.Tensor) -> bool:
    return found.dtype == torch.float32 and found.numpy().tobytes() == expected(path, x).tobytes()


@pytest.mark.parametrize("count", [0, 1, 5])
def test_eager(network: PackedNetwork, path: Path, count: int) -> None:
    assert same(network(images(count)), path, images(count))


def test_images_in_any_order_of_memory(network: PackedNetwork, path: Path) -> None:
    x = images(4).to(memory_format=torch.channels_last)
    assert same(network(x), path, images(4))
    assert same(network(images(8)[::2]), path, images(8)[::2].contiguous())


def test_the_operator_keeps_pytorch_s_rules(network: PackedNetwork) -> None:
    arguments = (network.content, images(3), 10, "reference", 1)
    torch.library.opcheck(torch.ops.bnas_deploy.run.default, arguments)


def test_compiled_whole_for_every_batch(network: PackedNetwork, path: Path) -> None:
    torch.compiler.reset()
    compiled = torch.compile(
        lambda x: network(x * 2) + 0, fullgraph=True, dynamic=True, backend="aot_eager"
    )
    for count in (2, 3, 7):
        assert same(compiled(images(count)), path, images(count) * 2)


def exported(network: PackedNetwork) -> torch.export.ExportedProgram:
    batch = {"images": {0: torch.export.Dim("batch")}}
    return torch.export.export(network, (images(2),), dynamic_shapes=batch)


LOADED = """
import sys
import numpy as np
import torch
import bnas_deploy.integrations.pytorch

x = torch.from_numpy(np.load(sys.argv[2]))
np.save(sys.argv[3], torch.export.load(sys.argv[1]).module()(x).numpy())
"""


def test_exported_and_loaded_elsewhere(network: PackedNetwork, path: Path, tmp_path: Path) -> None:
    program = exported(network)
    targets = [node.target for node in program.graph.nodes if node.op == "call_function"]
    assert torch.ops.bnas_deploy.run.default in targets
    for count in (1, 6):
        assert same(program.module()(images(count)), path, images(count))
    torch.export.save(program, tmp_path / "network.pt2")
    np.save(tmp_path / "x.npy", images(5).numpy())
    content = path.read_bytes()
    path.unlink()  # the program has the network in it
    words = [str(tmp_path / name) for name in ("network.pt2", "x.npy", "y.npy")]
    subprocess.run([sys.executable, "-W", "ignore", "-c", LOADED, *words], check=True)
    path.write_bytes(content)
    assert same(torch.from_numpy(np.load(tmp_path / "y.npy")), path, images(5))


def test_the_state_is_the_file(network: PackedNetwork, path: Path) -> None:
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    state = torch.load(io.BytesIO(file.getvalue()), weights_only=True)
    assert list(state) == ["content"]
    again = PackedNetwork(bytes(state["content"].numpy()), backend="reference")
    assert same(again(images(3)), path, images(3))


def test_another_state_of_the_same_size(network: PackedNetwork, tmp_path: Path) -> None:
    model = picture_model()
    name = next(name for name, tensor in model.tensors.items() if tensor.dtype == np.float32)
    model.tensors[name] = model.tensors[name] + np.float32(1)
    other = PackedNetwork(to_bytes(model), backend="reference")
    assert len(other.content) == len(network.content)
    before = network(images(3))
    network.load_state_dict(other.state_dict())
    assert torch.equal(network(images(3)), other(images(3)))
    assert not torch.equal(network(images(3)), before)


def test_copied_and_pickled(network: PackedNetwork, path: Path) -> None:
    for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert same(other(images(2)), path, images(2))


def test_no_gradient(network: PackedNetwork) -> None:
    x = images(2).requires_grad_()
    with pytest.raises(RuntimeError, match=r"no autograd formula|does not require grad"):
        network(x).sum().backward()


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (images(2).double(), "float32"),
        (images(2)[0], "N, 3, 8, 8|shape"),
        (images(2).to("meta"), None),
    ],
)
def test_what_is_no_input(network: PackedNetwork, x: torch.Tensor, message: str | None) -> None:
    if message is None:  # of the fake kernel: a shape, and no values
        assert network.to("meta")(x).shape == (2, 10)
        return
    with pytest.raises(UsageError, match=message):
        network(x)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"nix\.bnn"):
        PackedNetwork(tmp_path / "nix.bnn")


def test_several_networks_at_once(tmp_path: Path, network: PackedNetwork, path: Path) -> None:
    other = PackedNetwork(to_bytes(mean_colour_model()), backend="reference")
    assert other(images(2)).shape == (2, 3)
    assert same(network(images(2)), path, images(2))
    assert network.model is network.model
    assert network.model.labels[3] == "cat"
