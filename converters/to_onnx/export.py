"""Sources and packed models as ONNX models, checked with ONNX Runtime."""

from __future__ import annotations

from onnx import ModelProto

from bnas_deploy import engine
from bnas_deploy.converters.from_onnx.logits import onnx_logits
from bnas_deploy.converters.packing.check import CheckOptions, check_inputs
from bnas_deploy.converters.packing.compare import SelfCheck, compare_logits
from bnas_deploy.converters.packing.kinds import in_batches
from bnas_deploy.converters.packing.source import (
    Logits,
    Source,
    numbered_labels,
    plain_preprocessing,
)
from bnas_deploy.converters.to_onnx.graph import graph_to_onnx
from bnas_deploy.converters.to_onnx.program import program_to_onnx
from bnas_deploy.converters.to_onnx.writer import metadata_of
from bnas_deploy.format import PackedModel, Preprocessing

__all__ = ["packed_to_onnx", "source_to_onnx"]


def source_to_onnx(
    source: Source, check: CheckOptions | None = None
) -> tuple[ModelProto, SelfCheck | None]:
    """Write a source's graph literally, and compare ONNX Runtime with the original.

    Args:
        source: From a front end.
        check: On what; no backend runs (default: nothing is compared).

    Raises:
        ConversionError: The graph has an operation that ONNX has no words for here, or the results
            differ by more than roundings can explain.
    """
    labels = numbered_labels(source.classes) if source.labels is None else source.labels
    pixels = source.preprocessing or plain_preprocessing(source.graph.input_shape)
    proto = graph_to_onnx(source.graph, metadata=metadata_of(labels, pixels))
    if check is None:
        return proto, None
    shape, original = source.graph.input_shape, source.original
    return proto, _compared(proto, original.logits, original.name, (pixels, shape), check)


def packed_to_onnx(
    model: PackedModel, check: CheckOptions | None = None
) -> tuple[ModelProto, SelfCheck | None]:
    """Write a packed program, 8-bit layers included, and compare ONNX Runtime with the engine.

    Args:
        model: Any valid one.
        check: On what, and which backend runs the program (default: nothing is compared).

    Raises:
        ConversionError: The results differ by more than roundings can explain.
        BackendError: The backend is not available.
    """
    proto = program_to_onnx(model)
    if check is None:
        return proto, None
    runner = engine.create(model, backend=check.backend, threads=check.threads)
    name = runner.name if runner.isa is None else f"{runner.name} {runner.isa}"
    shape = model.program.values[model.program.input].shape
    given = model.preprocessing, shape
    return proto, _compared(proto, runner.run, f"the packed program ({name})", given, check)


def _compared(
    proto: ModelProto,
    run: Logits,
    against: str,
    given: tuple[Preprocessing, tuple[int, int, int]],
    check: CheckOptions,
) -> SelfCheck:
    images, origin = check_inputs(*given, check.images)
    expected, got = in_batches(run, images), onnx_logits(proto, images)
    return compare_logits(expected, got, source=origin, backend="ONNX Runtime", against=against)
