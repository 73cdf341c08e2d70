"""From a front end's graph to the packed float program, with the report of what was done."""

from __future__ import annotations

from bnas_deploy.converters.packing.emit import emit
from bnas_deploy.converters.packing.report import Report, make_report
from bnas_deploy.converters.packing.source import Source, numbered_labels, plain_preprocessing
from bnas_deploy.converters.passes.pipeline import run_pipeline
from bnas_deploy.cost import cost_summary
from bnas_deploy.cost.accounting import FLOAT_BITS
from bnas_deploy.format import PackedModel, validate

__all__ = ["pack"]


def pack(source: Source) -> tuple[PackedModel, Report]:
    """Pack a graph, all that is not binary in float32.

    Returns:
        The validated model, and what was removed, folded and kept.

    Raises:
        ConversionError: A part of the graph has no meaning in the format.
        FormatError: A label or number does not fit the format.
    """
    graph, records = run_pipeline(source.graph)
    program, tensors = emit(graph)
    report = make_report(source, records, tensors, [step.OP for step in program.steps])
    cost = cost_summary(program, tensors)
    if source.paper is not None:
        cost |= source.paper(FLOAT_BITS)
    labels, pixels = source.labels, source.preprocessing
    model = PackedModel(
        program=program,
        tensors=tensors,
        preprocessing=pixels or plain_preprocessing(source.graph.input_shape),
        labels=numbered_labels(source.classes) if labels is None else labels,
        provenance=dict(source.facts),
        cost=cost,
    )
    validate(model)
    return model, report
