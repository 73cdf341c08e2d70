"""From any front end's source to a packed model, in one order: pack, check, quantize, compare."""

from __future__ import annotations

from dataclasses import asdict, replace

from bnas_deploy.converters.eight_bit.facts import EightBit, EightBitOptions
from bnas_deploy.converters.eight_bit.quantize import quantize
from bnas_deploy.converters.packing.check import CheckOptions, check, check_8bit
from bnas_deploy.converters.packing.layers import sign_zero_differs
from bnas_deploy.converters.packing.one_logit import with_two_logits
from bnas_deploy.converters.packing.pack import pack
from bnas_deploy.converters.packing.report import Report
from bnas_deploy.converters.packing.source import Source
from bnas_deploy.cost.accounting import FLOAT_BITS
from bnas_deploy.format import PackedModel

__all__ = ["convert_source"]


def convert_source(
    source: Source,
    *,
    check_options: CheckOptions | None = None,
    eight_bit: EightBitOptions | None = None,
) -> tuple[PackedModel, Report]:
    """Pack a model, check it, put layers into 8 bits, and compare that with the float program.

    Args:
        source: From a front end.
        check_options: How the packed program is compared with the original (default: it is not).
        eight_bit: Which full-precision layers to put into 8 bits, and how (default: none, so that
            nothing is approximate).

    Returns:
        The validated model, and what was removed, folded, kept and found by the check.

    Raises:
        ConversionError: A part of the graph has no meaning in the format, or the program differs
            from the original by more than roundings, or 8 bits, can explain.
        FormatError: A label or number does not fit the format.
        UsageError: A kind of layers in `eight_bit` is unknown, or images have the wrong shape.
        BackendError: A backend is not available.
    """
    source = with_two_logits(source)
    model, report = pack(source)
    checked = None
    if check_options is not None:
        given = None if eight_bit is None else eight_bit.images
        pictures = None if given is None else source.arranged(given)
        checked = check(source, model, check_options, calibration=pictures)
        report = replace(report, self_check=checked.result)
        report = report.warned(*sign_zero_differs(checked.result))
    if eight_bit is not None:
        model, found = _in_8_bits(source, model, eight_bit)
        if checked is not None and check_options is not None and found.layers:
            found = replace(found, agreement=check_8bit(checked, model, check_options))
        report = report.with_eight_bit(found, model)
    return _documented(model, report), report


def _in_8_bits(
    source: Source, model: PackedModel, options: EightBitOptions
) -> tuple[PackedModel, EightBit]:
    model, found = quantize(
        model,
        options.kinds,
        images=None if options.images is None else source.arranged(options.images),
        backend=options.backend,
        threads=options.threads,
        keep={name: source.reasons[name] for name in source.exact},
        synthetic=source.preprocessing is not None,
        clips=source.clips,
    )
    if source.paper is None:
        return model, found
    left = {layer.kind for layer in found.float_layers if layer.layer not in source.exact}
    made = {layer.kind for layer in found.layers}
    bits = 8 if "shortcut" in made - left else FLOAT_BITS
    return replace(model, cost={**model.cost, **source.paper(bits)}), found


def _documented(model: PackedModel, report: Report) -> PackedModel:
    """The model with what was done and found in its provenance."""
    facts = {**model.provenance, "report": report.summary()}
    if report.self_check is not None:
        facts["self_check"] = asdict(report.self_check)
    return replace(model, provenance=facts)
