"""From any front end's graph to a packed model with its report, and the check of the two ends.

No front end and no framework: what the graph came from is asked for logits through a function.
The rewriting is in `pipeline`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bnas_deploy import engine
from bnas_deploy.converters.eight_bit.facts import EightBitOptions
from bnas_deploy.converters.eight_bit.quantize import quantize
from bnas_deploy.converters.graph.nodes import Graph
from bnas_deploy.converters.packing.emit import emit
from bnas_deploy.converters.packing.report import Report, make_report
from bnas_deploy.converters.packing.self_check import (
    SelfCheck,
    compare_8bit,
    compare_logits,
    random_pictures,
)
from bnas_deploy.converters.passes.pipeline import run_pipeline
from bnas_deploy.cost import cost_summary
from bnas_deploy.cost.accounting import FLOAT_BITS
from bnas_deploy.errors import ConversionError
from bnas_deploy.format import PackedModel, Preprocessing, validate
from bnas_deploy.networks.config import AnyConfig
from bnas_deploy.nn.config import NetworkConfig

__all__ = ["BATCH", "Logits", "Source", "check", "pack"]

BATCH = 32

Logits = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]
"""Maps images (N, C, H, W) to logits (N, classes)."""


@dataclass(frozen=True)
class Source:
    """What is packed.

    Attributes:
        graph: From a front end.
        config: What the network is made of.
        parameters: Their number.
        facts: To store in the file.
        floats: The reason for each convolution that stays in full precision though it reads signs.
        notes: What else the report shall say.
    """

    graph: Graph
    config: AnyConfig
    parameters: int
    facts: Mapping[str, Any] = field(default_factory=dict)
    floats: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def pack(
    source: Source,
    *,
    labels: Sequence[str] | None = None,
    preprocessing: Preprocessing | None = None,
    provenance: Mapping[str, Any] | None = None,
    eight_bit: EightBitOptions | None = None,
) -> tuple[PackedModel, Report]:
    """Pack a graph.

    Args:
        source: The graph and what is known of it.
        labels: One a class (default: `class 0` and so on).
        preprocessing: How pictures become inputs (default: pixels from 0 to 1).
        provenance: Facts to store beside those of the source.
        eight_bit: Which full-precision layers to put into 8 bits, and how (default: none, so that
            nothing is approximate).

    Returns:
        The validated model, and what was removed, folded and kept.

    Raises:
        ConversionError: A part of the graph has no meaning in the format.
        FormatError: A label or number does not fit the format.
        UsageError: A kind of layers in `eight_bit` is unknown.
        BackendError: The backend in `eight_bit` is not available.
    """
    config = source.config
    graph, records = run_pipeline(source.graph)
    program, tensors = emit(graph)
    operations = [step.OP for step in program.steps]
    report = make_report(
        config.name, source.parameters, records, tensors, operations, reasons=source.floats
    )
    report = replace(report, notes=source.notes)
    model = PackedModel(
        program=program,
        tensors=tensors,
        preprocessing=preprocessing or _plain_preprocessing(config.image_size),
        labels=tuple(labels) if labels is not None else _numbered(config.classes),
        provenance={**source.facts, **(provenance or {}), "report": report.summary()},
        cost=cost_summary(program, tensors, network=_counted(config)),
    )
    validate(model)
    return (model, report) if eight_bit is None else _in_8_bits(source, model, report, eight_bit)


def check(
    source: Source,
    logits: Logits,
    model: PackedModel,
    report: Report,
    *,
    images: npt.NDArray[np.float32] | int = 32,
    backend: str | None = None,
    threads: int = 1,
) -> tuple[PackedModel, Report]:
    """Compare the packed program with what it was made from; return both with the result stored.

    A program with 8-bit layers is packed once more without them: that one is compared with the
    original, as strictly as any, and then with the program in 8 bits.

    Args:
        source: What `model` was packed from.
        logits: The original; it gets at most `BATCH` images at a time.
        model: From `pack`.
        report: From `pack`.
        images: (N, 3, H, W), preprocessed; or how many random ones to make.
        backend: Of the packed program; None for the best.
        threads: Of the packed program.

    Raises:
        ConversionError: They differ by more than roundings, or 8 bits, can explain.
        BackendError: The backend is not available.
    """
    origin = "given"
    if isinstance(images, int):
        p = model.preprocessing
        images, origin = random_pictures(images, p.crop, p.mean, p.std), "random"
    if not len(images):
        msg = "a self-check needs at least one image"
        raise ConversionError(msg)
    found = report.eight_bit if report.eight_bit and report.eight_bit.layers else None
    exact = model if found is None else pack(source)[0]
    name, got = _packed_logits(exact, images, backend, threads)
    batches = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
    expected = np.concatenate([logits(batch) for batch in batches])
    result = compare_logits(expected, got, source=origin, backend=name)
    if found is not None:
        name, eight = _packed_logits(model, images, backend, threads)
        agreement = compare_8bit(got, eight, source=origin, backend=name)
        report = replace(report, eight_bit=replace(found, agreement=agreement))
    return _with_check(model, report, result)


def _packed_logits(
    model: PackedModel, images: npt.NDArray[np.float32], backend: str | None, threads: int
) -> tuple[str, npt.NDArray[np.float32]]:
    """Name of the backend, and logits (N, classes)."""
    runner = engine.create(model, backend=backend, threads=threads)
    name = runner.name if runner.isa is None else f"{runner.name} {runner.isa}"
    batches = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
    return name, np.concatenate([runner.run(batch) for batch in batches])


def _in_8_bits(
    source: Source, model: PackedModel, report: Report, options: EightBitOptions
) -> tuple[PackedModel, Report]:
    model, found = quantize(
        model, options.kinds, images=options.images, backend=options.backend,
        threads=options.threads, keep=source.floats,
    )  # fmt: skip
    report = report.with_eight_bit(found, model)
    made = {layer.kind for layer in found.layers}
    left = {layer.kind for layer in found.float_layers if layer.layer not in source.floats}
    bits = 8 if "shortcut" in made - left else FLOAT_BITS
    network = _counted(source.config)
    cost = cost_summary(model.program, model.tensors, network=network, shortcut_bits=bits)
    provenance = {**model.provenance, "report": report.summary()}
    return replace(model, cost=cost, provenance=provenance), report


def _counted(config: AnyConfig) -> NetworkConfig | None:
    """What the paper's accounting is for; of others the program's own count is what there is."""
    return config if isinstance(config, NetworkConfig) else None


def _with_check(
    model: PackedModel, report: Report, result: SelfCheck
) -> tuple[PackedModel, Report]:
    provenance = {**model.provenance, "self_check": asdict(result)}
    if report.eight_bit is not None:
        provenance["report"] = report.summary()  # which has the agreement now
    return replace(model, provenance=provenance), replace(report, self_check=result)


def _plain_preprocessing(size: int) -> Preprocessing:
    return Preprocessing(size, (size, size), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def _numbered(classes: int) -> tuple[str, ...]:
    return tuple(f"class {index}" for index in range(classes))
