"""From a network of PyTorch modules to a packed model with its report; reads and writes no files.

The graph comes from `torch_frontend`, the rewriting is in `pipeline`.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from bnas_deploy import __version__, engine
from bnas_deploy.converters.eight_bit import EightBitOptions
from bnas_deploy.converters.emit import emit
from bnas_deploy.converters.pipeline import run_pipeline
from bnas_deploy.converters.quantize import quantize
from bnas_deploy.converters.report import Report, make_report
from bnas_deploy.converters.torch_frontend import network_graph
from bnas_deploy.converters.verify import (
    SelfCheck,
    compare_8bit,
    compare_logits,
    random_pictures,
)
from bnas_deploy.cost import cost_summary
from bnas_deploy.cost.accounting import FLOAT_BITS
from bnas_deploy.errors import ConversionError
from bnas_deploy.format import PackedModel, Preprocessing, validate
from bnas_deploy.nn.network import Network

__all__ = ["Loaded", "convert", "convert_network", "self_check"]

BATCH = 32


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
    def network(self) -> Network:
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
    network: Network,
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
    config = network.config
    graph, records = run_pipeline(network_graph(network))
    program, tensors = emit(graph)
    parameters = sum(p.numel() for p in network.parameters())
    report = make_report(config.name, parameters, records, tensors, [s.OP for s in program.steps])
    model = PackedModel(
        program=program,
        tensors=tensors,
        preprocessing=preprocessing or _plain_preprocessing(config.image_size),
        labels=tuple(labels) if labels is not None else _numbered(config.classes),
        provenance={**_facts(network), **(provenance or {}), "report": report.summary()},
        cost=cost_summary(program, tensors, network=config),
    )
    validate(model)
    return (model, report) if eight_bit is None else _in_8_bits(network, model, report, eight_bit)


def self_check(
    network: Network,
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
    source = "given"
    if isinstance(images, int):
        p = model.preprocessing
        images, source = random_pictures(images, p.crop, p.mean, p.std), "random"
    if not len(images):
        msg = "a self-check needs at least one image"
        raise ConversionError(msg)
    found = report.eight_bit if report.eight_bit and report.eight_bit.layers else None
    exact = model if found is None else convert_network(network)[0]
    name, got = _packed_logits(exact, images, backend, threads)
    batches = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
    expected = np.concatenate([torch_logits(network, batch) for batch in batches])
    check = compare_logits(expected, got, source=source, backend=name)
    if found is not None:
        name, eight = _packed_logits(model, images, backend, threads)
        agreement = compare_8bit(got, eight, source=source, backend=name)
        report = replace(report, eight_bit=replace(found, agreement=agreement))
    return _with_check(model, report, check)


def _packed_logits(
    model: PackedModel, images: npt.NDArray[np.float32], backend: str | None, threads: int
) -> tuple[str, npt.NDArray[np.float32]]:
    """Name of the backend, and logits (N, classes)."""
    runner = engine.create(model, backend=backend, threads=threads)
    name = runner.name if runner.isa is None else f"{runner.name} {runner.isa}"
    batches = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
    return name, np.concatenate([runner.run(batch) for batch in batches])


def _in_8_bits(
    network: Network, model: PackedModel, report: Report, options: EightBitOptions
) -> tuple[PackedModel, Report]:
    model, found = quantize(
        model, options.kinds, images=options.images, backend=options.backend,
        threads=options.threads,
    )  # fmt: skip
    report = report.with_eight_bit(found, model)
    made = {layer.kind for layer in found.layers} - {layer.kind for layer in found.float_layers}
    bits = 8 if "shortcut" in made else FLOAT_BITS
    cost = cost_summary(model.program, model.tensors, network=network.config, shortcut_bits=bits)
    provenance = {**model.provenance, "report": report.summary()}
    return replace(model, cost=cost, provenance=provenance), report


def torch_logits(network: Network, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the logits (N, classes) of a network in evaluation mode."""
    device = next(network.parameters()).device
    with _evaluating(network), torch.inference_mode():
        logits = network(torch.from_numpy(images).to(device))
    return np.asarray(logits.cpu().numpy(), np.float32)


def _account(training: Mapping[str, Any]) -> dict[str, Any]:
    # The rows of the epochs stay with model.pt: hundreds of them are of no use to run the network.
    return {name: value for name, value in training.items() if name != "history"}


def _facts(network: Network) -> dict[str, Any]:
    config = network.config
    return {
        "network": config.to_dict(),
        "genotype": config.genotype.to_text(),
        "versions": _versions(),
    }


def _with_check(model: PackedModel, report: Report, check: SelfCheck) -> tuple[PackedModel, Report]:
    provenance = {**model.provenance, "self_check": asdict(check)}
    if report.eight_bit is not None:
        provenance["report"] = report.summary()  # which has the agreement now
    return replace(model, provenance=provenance), replace(report, self_check=check)


@contextmanager
def _evaluating(network: Network) -> Iterator[None]:
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)


def _plain_preprocessing(size: int) -> Preprocessing:
    return Preprocessing(size, (size, size), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def _numbered(classes: int) -> tuple[str, ...]:
    return tuple(f"class {index}" for index in range(classes))


def _versions() -> dict[str, str]:
    return {
        "bnas_deploy": __version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
