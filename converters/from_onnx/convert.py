"""From an ONNX file to a packed model with its report, checked against ONNX Runtime.

The graph comes from `from_onnx.network`, the rewriting is in `pipeline`; nothing is written here.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from bnas_deploy import __version__, engine
from bnas_deploy.converters.from_onnx.answer import without_answer
from bnas_deploy.converters.from_onnx.logits import onnx_logits
from bnas_deploy.converters.from_onnx.metadata import stored_labels, stored_preprocessing
from bnas_deploy.converters.from_onnx.network import SIGN_ZERO, Imported, onnx_graph
from bnas_deploy.converters.from_onnx.read import Source, read_onnx
from bnas_deploy.converters.packing.emit import emit
from bnas_deploy.converters.packing.report import Report, make_report
from bnas_deploy.converters.packing.self_check import compare_logits, random_pictures
from bnas_deploy.converters.passes.pipeline import run_pipeline
from bnas_deploy.cost import cost_summary
from bnas_deploy.errors import ConversionError, UsageError
from bnas_deploy.format import PackedModel, Preprocessing, validate

__all__ = ["OnnxImport", "convert_onnx"]

BATCH = 32


@dataclass(frozen=True)
class OnnxImport:
    """A converted model.

    Attributes:
        model: Validated, with the self-check stored.
        report: What was folded and kept.
        notes: What people should know, such as how Sign(0) was taken.
    """

    model: PackedModel
    report: Report
    notes: tuple[str, ...]


def convert_onnx(
    path: Path | str,
    *,
    allow_float: bool = False,
    sign_zero: str = "auto",
    labels: Sequence[str] | None = None,
    preprocessing: Preprocessing | None = None,
    images: npt.NDArray[np.float32] | int = 32,
    backend: str | None = None,
    threads: int = 1,
) -> OnnxImport:
    """Convert a binary ONNX model, and compare it with ONNX Runtime.

    Args:
        path: The model; external data lies beside it.
        allow_float: Whether layers may stay in full precision.
        sign_zero: What Sign(0) = 0 becomes, one of `SIGN_ZERO`.
        labels: One a class (default: those in the model's metadata, or `class 0` and so on).
        preprocessing: How pictures become inputs (default: as the metadata say, or pixels from 0
            to 1).
        images: (N, ...) inputs of the self-check, or how many random ones; 0 for no self-check.
        backend: Of the self-check; None for the best.
        threads: Of the self-check.

    Raises:
        ConversionError: The file is damaged, the model has obstacles (all are listed), or the
            packed program gives other answers than ONNX Runtime.
        FormatError: It does not fit the limits of the format.
        UsageError: An argument is not one of its values.
    """
    path = Path(path)
    if sign_zero not in SIGN_ZERO:
        msg = f"sign_zero must be one of {', '.join(SIGN_ZERO)}; got {sign_zero!r}"
        raise UsageError(msg)
    source, left_out = without_answer(read_onnx(path))
    found = onnx_graph(source, path.name, allow_float=allow_float, sign_zero=sign_zero)
    graph, records = run_pipeline(found.graph)
    program, tensors = emit(graph)
    parameters = sum(array.size for array in source.constants.values())
    operations = [step.OP for step in program.steps]
    report = make_report(path.stem, parameters, records, tensors, operations)
    report = _with_reasons(report, found)
    notes = (*found.notes, *left_out)
    names = tuple(labels) if labels is not None else stored_labels(source.proto)
    preprocessing = preprocessing or stored_preprocessing(source.proto)
    model = PackedModel(
        program=program,
        tensors=tensors,
        preprocessing=preprocessing or _plain(graph.input_shape),
        labels=names or _numbered(graph.values[graph.output].shape),
        provenance={**_facts(path, source, notes), "report": report.summary()},
        cost=cost_summary(program, tensors),
    )
    validate(model)
    if not isinstance(images, int) or images:
        model, report = _checked(source, model, report, images, backend, threads)
    return OnnxImport(model, report, notes)


def _checked(
    source: Source,
    model: PackedModel,
    report: Report,
    images: npt.NDArray[np.float32] | int,
    backend: str | None,
    threads: int,
) -> tuple[PackedModel, Report]:
    given = images if not isinstance(images, int) else _random(images, model)
    count = len(given)
    image = model.program.values[model.program.input].shape
    if not count or given.shape[1:] not in (source.dims, image):
        msg = f"inputs of shape {list(given.shape)}; the model takes (N, {list(source.dims)})"
        raise UsageError(msg)
    if source.channels_last and given.shape[1:] != source.dims:
        given = np.moveaxis(given, 1, 3)
    packed = np.moveaxis(given, 3, 1) if source.channels_last else given.reshape(count, *image)
    packed = np.ascontiguousarray(packed)
    expected = onnx_logits(source.proto, given.reshape(count, *source.dims), batch=source.batch)
    if not np.isfinite(expected).all():
        msg = "ONNX Runtime gives logits that are not finite; is the model trained?"
        raise ConversionError(msg)
    runner = engine.create(model, backend=backend, threads=threads)
    name = runner.name if runner.isa is None else f"{runner.name} {runner.isa}"
    batches = [packed[start : start + BATCH] for start in range(0, count, BATCH)]
    got = np.concatenate([runner.run(batch) for batch in batches])
    if got.shape != expected.shape:
        msg = f"ONNX Runtime gives logits of shape {expected.shape}, the packed program {got.shape}"
        raise ConversionError(msg)
    kind = "random" if isinstance(images, int) else "given"
    check = compare_logits(expected, got, source=kind, backend=name, against="ONNX Runtime")
    provenance = {**model.provenance, "self_check": asdict(check)}
    return replace(model, provenance=provenance), replace(report, self_check=check)


def _random(count: int, model: PackedModel) -> npt.NDArray[np.float32]:
    p, (c, h, w) = model.preprocessing, model.program.values[model.program.input].shape
    if c == 3 and h > 1:
        return random_pictures(count, p.crop, p.mean, p.std)
    # Not pictures: their numbers lie on both sides of zero, or most signs would be the same.
    return np.random.default_rng(0).standard_normal((count, c, h, w), np.float32)


def _with_reasons(report: Report, found: Imported) -> Report:
    reasons = {layer.layer: layer.reason for layer in found.float_layers}
    kept = tuple(replace(k, reason=reasons.get(k.layer, _OTHER)) for k in report.kept)
    return replace(report, kept=kept)


_OTHER = "a scale and shift that no layer beside it can take"


def _facts(path: Path, source: Source, notes: Sequence[str]) -> Mapping[str, Any]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {
        "source": {"file": path.name, "sha256": digest, "opset": source.opset},
        "notes": list(notes),
        "versions": {
            "bnas_deploy": __version__,
            "onnx": onnx.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }


def _plain(shape: tuple[int, int, int]) -> Preprocessing:
    channels, height, width = shape
    return Preprocessing(max(height, width), (height, width), (0.0,) * channels, (1.0,) * channels)


def _numbered(shape: tuple[int, int, int]) -> tuple[str, ...]:
    return tuple(f"class {index}" for index in range(shape[0]))
