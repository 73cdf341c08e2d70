"""The result of training, `model.pt`: what it holds, writing it, reading it with every check.

Not a checkpoint: nothing in it serves to train on, and no path of the machine is in it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bnas_deploy.checkpoints.torch_file import check_kind, read_file, write_file
from bnas_deploy.errors import BnasError, CheckpointError
from bnas_deploy.format.program import Preprocessing
from bnas_deploy.networks.build import AnyNetwork, build_network
from bnas_deploy.networks.config import AnyConfig, config_from_dict
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.genotype import Genotype
from bnas_deploy.training.data.preprocessing import preprocessing_from_dict, preprocessing_to_dict

__all__ = [
    "FORMAT",
    "VERSION",
    "TrainedModel",
    "fit_state_dict",
    "is_ours",
    "load_model",
    "load_network",
    "model_of",
    "save_model",
]

FORMAT = "bnas-deploy/model"
VERSION = 1

_ENTRIES: dict[str, type] = {
    "config": dict,
    "binary": bool,
    "preprocessing": dict,
    "labels": list,
    "training": dict,
    "state_dict": dict,
}


@dataclass(frozen=True)
class TrainedModel:
    """A trained network with all that is needed to use it.

    Attributes:
        network: In evaluation mode, on the CPU.
        preprocessing: From pixels to inputs.
        labels: Class names in the order of the logits.
        training: How it came about: data set's name, recipe, seconds, test accuracy and so on.
    """

    network: AnyNetwork
    preprocessing: Preprocessing
    labels: tuple[str, ...]
    training: Mapping[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> AnyConfig:
        """What the network is made of."""
        return self.network.config


def save_model(path: str | os.PathLike[str], model: TrainedModel) -> None:
    """Write `model.pt`; an existing file is replaced in one step."""
    value = {
        "format": FORMAT,
        "version": VERSION,
        "config": model.config.to_dict(),
        **_genotype(model.config),
        "binary": model.network.binary,
        "preprocessing": preprocessing_to_dict(model.preprocessing),
        "labels": list(model.labels),
        "training": dict(model.training),
        "state_dict": _in_few_storages(model.network.state_dict()),
    }
    write_file(path, value)


def _in_few_storages(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Lay all tensors of a dtype one behind the other; an entry each would cost 2% of the file."""
    result = {name: tensor.detach().to("cpu") for name, tensor in state_dict.items()}
    for dtype in dict.fromkeys(tensor.dtype for tensor in result.values()):
        chosen = {name: tensor for name, tensor in result.items() if tensor.dtype == dtype}
        flat = torch.cat([tensor.reshape(-1) for tensor in chosen.values()])
        parts = torch.split(flat, [tensor.numel() for tensor in chosen.values()])
        for (name, tensor), part in zip(chosen.items(), parts, strict=True):
            result[name] = part.view(tensor.shape)
    return result


def is_ours(value: object) -> bool:
    """Whether what a file holds says that bnas-deploy wrote it; it may still be damaged."""
    return isinstance(value, Mapping) and str(value.get("format")).startswith("bnas-deploy/")


def load_model(path: str | os.PathLike[str]) -> TrainedModel:
    """Read `model.pt` and check everything in it.

    Raises:
        CheckpointError: The file is missing, damaged, of another format, lacks an entry, or its
            weights do not fit its genotype and configuration or are not finite.
    """
    value = read_file(path, kind=FORMAT, version=VERSION)
    return model_of(path, value, held=Path(path).stat().st_size)


def model_of(source: str | os.PathLike[str], value: object, *, held: int) -> TrainedModel:
    """Check everything that a `model.pt` holds, and build its network.

    Args:
        source: The file's name, for messages.
        value: What the file holds.
        held: Its bytes.

    Raises:
        CheckpointError: As for `load_model`.
    """
    entries = check_kind(source, value, kind=FORMAT, version=VERSION)
    _check_entries(source, entries)
    try:
        config = config_from_dict(entries["config"])
        _check_genotype(source, config, entries)
        preprocessing = preprocessing_from_dict(entries["preprocessing"])
    except CheckpointError:
        raise
    except BnasError as error:
        msg = f"{source}: {error}"
        raise CheckpointError(msg) from error
    labels = _checked_labels(source, entries["labels"], config.classes)
    weights, binary = entries["state_dict"], entries["binary"]
    network = load_network(source, config, weights, binary=binary, held=held)
    return TrainedModel(network.eval(), preprocessing, labels, entries["training"])


def load_network(
    source: str | os.PathLike[str],
    config: AnyConfig,
    state_dict: Mapping[str, object],
    *,
    binary: bool,
    held: int,
) -> AnyNetwork:
    """Build a network with the weights of a file, after every check.

    Args:
        source: Name of the file that `state_dict` was read from, for messages.
        config: What the network is made of.
        state_dict: Names and tensors.
        binary: False builds the float counterpart.
        held: Bytes of the file, which must be enough for the weights.

    Raises:
        CheckpointError: As for `fit_state_dict`.
    """
    # A file may claim any size; the skeleton has names and shapes, and costs next to nothing.
    with torch.device("meta"):
        skeleton = build_network(config, binary=binary)
    expected = skeleton.state_dict()
    _check_state_dict(source, expected, state_dict)
    needed = sum(t.nbytes for t in expected.values())
    if needed > held:
        msg = f"{source}: expected {needed} bytes of weights; the whole file has {held}"
        raise CheckpointError(msg)
    network = build_network(config, binary=binary)
    fit_state_dict(source, network, state_dict)
    return network


def fit_state_dict(
    source: str | os.PathLike[str], network: AnyNetwork, state_dict: Mapping[str, object]
) -> None:
    """Put weights into a network after checking names, shapes and values.

    Args:
        source: Where they come from, for the messages.
        network: Gets the weights.
        state_dict: Names and tensors.

    Raises:
        CheckpointError: A name is missing or unknown, a shape differs, or a value is not finite;
            the message names the first few.
    """
    _check_state_dict(source, network.state_dict(), state_dict)
    network.load_state_dict(dict(state_dict))


def _check_state_dict(
    source: str | os.PathLike[str], expected: Mapping[str, Tensor], state_dict: Mapping[str, object]
) -> None:
    missing = [name for name in expected if name not in state_dict]
    unknown = [str(name) for name in state_dict if name not in expected]
    if missing or unknown:
        msg = (
            f"{source}: the weights do not fit the genotype and configuration:"
            f" missing {_first(missing)}; unknown {_first(unknown)}"
        )
        raise CheckpointError(msg)
    for name, want in expected.items():
        _check_tensor(f"{source}: {name}", state_dict[name], want)


def _check_entries(path: str | os.PathLike[str], value: Mapping[str, object]) -> None:
    for name, kind in _ENTRIES.items():
        _check_entry(path, value, name, kind)


def _check_entry(
    path: str | os.PathLike[str], value: Mapping[str, object], name: str, kind: type
) -> None:
    if not isinstance(value.get(name), kind):
        found = type(value[name]).__name__ if name in value else "nothing"
        msg = f"{path}: entry {name}: expected a {kind.__name__}; got {found}"
        raise CheckpointError(msg)


def _genotype(config: AnyConfig) -> dict[str, object]:
    """Of a network of cells, once more beside its configuration, where people find it."""
    return {"genotype": config.genotype.to_dict()} if isinstance(config, NetworkConfig) else {}


def _check_genotype(
    path: str | os.PathLike[str], config: AnyConfig, value: Mapping[str, object]
) -> None:
    if not isinstance(config, NetworkConfig):
        return
    _check_entry(path, value, "genotype", dict)
    if Genotype.from_dict(value["genotype"]) != config.genotype:
        msg = f"{path}: the entries genotype and config.genotype differ"
        raise CheckpointError(msg)


def _checked_labels(
    path: str | os.PathLike[str], labels: list[object], classes: int
) -> tuple[str, ...]:
    names = tuple(label for label in labels if isinstance(label, str))
    if len(names) != len(labels) or len(names) != classes:
        msg = (
            f"{path}: expected {classes} labels that are text;"
            f" got {len(labels)}, of which {len(names)} are"
        )
        raise CheckpointError(msg)
    return names


def _check_tensor(where: str, got: object, want: Tensor) -> None:
    if not isinstance(got, Tensor):
        msg = f"{where}: expected a tensor; got {type(got).__name__}"
        raise CheckpointError(msg)
    if got.layout != torch.strided or got.is_nested or got.device.type != "cpu":
        msg = f"{where}: expected a dense tensor with its values; got {got.layout} on {got.device}"
        raise CheckpointError(msg)
    if got.shape != want.shape or got.dtype != want.dtype:
        msg = (
            f"{where}: expected {want.dtype} of shape {tuple(want.shape)};"
            f" got {got.dtype} of shape {tuple(got.shape)}"
        )
        raise CheckpointError(msg)
    if not torch.isfinite(got).all():
        msg = f"{where}: holds NaN or infinity"
        raise CheckpointError(msg)


def _first(names: Sequence[str], count: int = 3) -> str:
    if not names:
        return "none"
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(name[:80] for name in names[:count]) + more
