"""From a network of PyTorch modules to a packed model with its report; reads and writes no files.

The graph comes from `from_torch.network`; `pack` does the rest.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from bnas_deploy import __version__
from bnas_deploy.converters.eight_bit.facts import EightBitOptions
from bnas_deploy.converters.from_torch.network import network_graph
from bnas_deploy.converters.packing.pack import Source, check, pack
from bnas_deploy.converters.packing.report import Report
from bnas_deploy.format import PackedModel, Preprocessing
from bnas_deploy.networks.build import AnyNetwork
from bnas_deploy.networks.config import AnyConfig

__all__ = ["Loaded", "config_facts", "convert", "convert_network", "self_check"]


class Normalisation(Protocol):
    """What is done to pixels: resize, crop the centre, then mean and std on the scale 0 to 1."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""

    @property
    def shorter_side(self) -> int:
        """Pixels of the shorter side before the crop."""

    @property
    def mean(self) -> tuple[float, ...]:
        """Of each channel."""

    @property
    def std(self) -> tuple[float, ...]:
        """Of each channel."""


class Loaded(Protocol):
    """A trained network with what belongs to it, as `bnas_deploy.training.product` reads it."""

    @property
    def network(self) -> AnyNetwork:
        """With its trained weights."""

    @property
    def labels(self) -> tuple[str, ...]:
        """One a class."""

    @property
    def preprocessing(self) -> Normalisation:
        """From pixels to inputs."""

    @property
    def training(self) -> Mapping[str, Any]:
        """How it came about; plain values."""


def convert(
    loaded: Loaded,
    *,
    provenance: Mapping[str, Any] | None = None,
    eight_bit: EightBitOptions | None = None,
) -> tuple[PackedModel, Report]:
    """Convert a trained network; see `convert_network`.

    Args:
        loaded: From `bnas_deploy.training.product.load_model`.
        provenance: Further facts to store, such as the source file's name and SHA-256.
        eight_bit: As for `convert_network`.
    """
    given = loaded.preprocessing
    return convert_network(
        loaded.network,
        labels=loaded.labels,
        preprocessing=Preprocessing(given.shorter_side, given.size, given.mean, given.std),
        provenance={"training": _account(loaded.training), **(provenance or {})},
        eight_bit=eight_bit,
    )


def convert_network(
    network: AnyNetwork,
    *,
    labels: Sequence[str] | None = None,
    preprocessing: Preprocessing | None = None,
    provenance: Mapping[str, Any] | None = None,
    eight_bit: EightBitOptions | None = None,
) -> tuple[PackedModel, Report]:
    """Convert a binary network as it would run in evaluation mode; the network is not changed.

    Args:
        network: Any weights, also untrained ones; float32.
        labels: One a class (default: `class 0` and so on).
        preprocessing: How pictures become inputs (default: pixels from 0 to 1, of the network's
            size).
        provenance: Facts to store beside those that are stored anyway.
        eight_bit: Which full-precision layers to put into 8 bits, and how (default: none, so that
            nothing is approximate).

    Returns:
        The validated model, and what was removed, folded and kept.

    Raises:
        ConversionError: A part of the network has no meaning in the format.
        FormatError: A label or number does not fit the format.
        UsageError: A kind of layers in `eight_bit` is unknown.
        BackendError: The backend in `eight_bit` is not available.
    """
    return pack(
        _source(network),
        labels=labels,
        preprocessing=preprocessing,
        provenance=provenance,
        eight_bit=eight_bit,
    )


def self_check(
    network: AnyNetwork,
    model: PackedModel,
    report: Report,
    *,
    images: npt.NDArray[np.float32] | int = 32,
    backend: str | None = None,
    threads: int = 1,
) -> tuple[PackedModel, Report]:
    """Run PyTorch and the packed program on the same images; return both with the result stored.

    A program with 8-bit layers is converted once more without them: that one is compared with
    PyTorch, as strictly as any, and then with the program in 8 bits.

    Args:
        network: What `model` was converted from.
        model: From `convert_network`.
        report: From `convert_network`.
        images: (N, 3, H, W), preprocessed; or how many random ones to make.
        backend: Of the packed program; None for the best.
        threads: Of the packed program.

    Raises:
        ConversionError: They differ by more than roundings, or 8 bits, can explain.
        BackendError: The backend is not available.
    """
    return check(
        _source(network),
        partial(torch_logits, network),
        model,
        report,
        images=images,
        backend=backend,
        threads=threads,
    )


def torch_logits(network: AnyNetwork, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the logits (N, classes) of a network in evaluation mode."""
    device = next(network.parameters()).device
    with _evaluating(network), torch.inference_mode():
        logits = network(torch.from_numpy(images).to(device))
    return np.asarray(logits.cpu().numpy(), np.float32)


def _account(training: Mapping[str, Any]) -> dict[str, Any]:
    # The rows of the epochs stay with model.pt: hundreds of them are of no use to run the network.
    return {name: value for name, value in training.items() if name != "history"}


def _source(network: AnyNetwork) -> Source:
    parameters = sum(p.numel() for p in network.parameters())
    return Source(network_graph(network), network.config, parameters, config_facts(network.config))


def config_facts(config: AnyConfig) -> dict[str, Any]:
    """Return what a file says of the network it was made from and of the programs that made it."""
    return {**config.facts(), "versions": _versions()}


@contextmanager
def _evaluating(network: AnyNetwork) -> Iterator[None]:
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)


def _versions() -> dict[str, str]:
    return {
        "bnas_deploy": __version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
