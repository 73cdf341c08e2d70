"""A `Report` as lines for people."""

from __future__ import annotations

from collections.abc import Sequence

from bnas_deploy.converters.eight_bit.facts import Agreement, EightBit
from bnas_deploy.converters.packing.compare import KindCheck, SelfCheck
from bnas_deploy.converters.packing.report import Report
from bnas_deploy.converters.packing.verdict import ROUNDINGS, SIGN_ZERO

__all__ = ["check_lines", "report_lines"]

_SHOWN = 4  # names in a list before "and N more"


def report_lines(report: Report) -> list[str]:
    """Say what an export did: sizes, what went and why, what stays in full precision and why."""
    return [
        *_notes(report.notes),
        *_sizes(report),
        *_removed(report),
        *_folded(report),
        *_section(
            "kept in full precision:",
            [f"  {k.layer} ({k.op}, {k.bytes:,} bytes): {k.reason}" for k in report.kept],
        ),
        *_eight_bit(report.eight_bit),
        *check_lines(report.self_check, in_8_bits=_any_8_bit(report)),
        *_agreement(report.eight_bit),
    ]


def _notes(notes: Sequence[str]) -> list[str]:
    return ["how the file was read:", *(f"  {note}" for note in notes)] if notes else []


def _sizes(report: Report) -> list[str]:
    kinds = ", ".join(f"{kind} {size:,}" for kind, size in report.bytes_by_kind.items())
    steps = ", ".join(f"{count} {op}" for op, count in report.steps.items())
    times = report.source_bytes / max(1, report.packed_bytes)
    return [
        f"{report.network}: {report.parameters:,} parameters",
        (
            f"bytes: {report.source_bytes:,} as float32, {report.packed_bytes:,} packed"
            f" ({times:.1f} times smaller)"
        ),
        f"  {kinds}",
        _layers(report),
        f"steps: {steps}",
    ]


def _layers(report: Report) -> str:
    """How many layers the user's model has, and how they run."""
    counts = report.layer_counts()
    binary, (weights, stored) = counts.pop("binary", 0), report.binary_weights
    others = "".join(f", {count} {_RUNS[runs]}" for runs, count in sorted(counts.items()))
    have = f"; {weights:,} binary weights" if weights else ""
    have += f", stored in {stored:,} bits" if stored != weights else ""
    return f"layers of the model: {len(report.layers)}, {binary} binary{others}{have}"


_RUNS = {"8 bits": "in 8 bits", "float32": "in float32", "removed": "removed"}


def _section(title: str, lines: Sequence[str]) -> list[str]:
    """A title with its lines, if there are any."""
    return [title, *lines] if lines else []


def _removed(report: Report) -> list[str]:
    narrowed = [f"{n.layer} {n.before} to {n.after}" for n in report.narrowed]
    lines = [
        _line("edges that are Zeroise", report.zeroise),
        _line("sums, joins and pools of nothing but zeros", report.zero_sums),
        _line("layers whose output is unused", report.unread),
        _line("nodes equal to another", report.merged),
        _line("layers' inputs that are the same for every image", narrowed),
    ]
    return _section("removed:", [line for line in lines if line])


def _folded(report: Report) -> list[str]:
    whole, floats = report.integer_thresholds, report.float_thresholds
    lines = [
        _line(
            "full-precision convolutions took in the BatchNorm beside them",
            report.folded_batchnorms,
        ),
        f"  {whole} BatchNorm + sign into integer compares of dot products" if whole else "",
        f"  {floats} BatchNorm + sign into float compares" if floats else "",
        _line("convolutions that add their output in place", report.fused_residuals),
    ]
    return _section("folded:", [line for line in lines if line])


def _eight_bit(found: EightBit | None) -> list[str]:
    if found is None:
        return []
    lines = [
        f"  {layer.layer} ({layer.kind}): {layer.bytes_before:,} to {layer.bytes_after:,} bytes"
        for layer in found.layers
    ]
    lines += [f"  {f.layer} ({f.kind}) stays in float: {f.reason}" for f in found.float_layers]
    if not found.layers:
        return ["in 8 bits: no layer", *lines]
    if found.calibration is None:
        return ["in 8 bits, with the ranges that the model states:", *lines]
    images = f"{found.calibration_images} {found.calibration} images"
    return [f"in 8 bits, ranges measured on {images}:", *lines]


def _any_8_bit(report: Report) -> bool:
    return report.eight_bit is not None and bool(report.eight_bit.layers)


def _agreement(found: EightBit | None) -> list[str]:
    if found is None or found.agreement is None:
        return []
    a: Agreement = found.agreement
    return [
        (
            f"8 bits against float: the packed program ({a.backend}) before and after, on the same"
            f" {a.images} images: same answer for {a.same_answer} of {a.images}; logits differ by"
            f" {a.relative_error:.2g} of their spread"
        )
    ]


def check_lines(check: SelfCheck | None, *, in_8_bits: bool = False) -> list[str]:
    """Say what a self-check found; `in_8_bits`: and that the program went into 8 bits after it."""
    if check is None:
        return ["self-check: not run"]
    return [
        (
            f"self-check: {check.images} {check.source} images, {check.against} against"
            f" {check.backend}"
            f"{' before 8 bits' if in_8_bits else ''}:"
            f" same answer for {check.same_answer} of {check.images}; logits differ by"
            f" {check.relative_error:.2g} of their spread (at most {check.largest_difference:.2g},"
            f" where the largest is {check.largest_logit:.2g})"
        ),
        *_kind_lines(check.kinds),
    ]


def _kind_lines(kinds: Sequence[KindCheck]) -> list[str]:
    if not kinds:
        return []
    clean = [kind for kind in kinds if kind.images and not kind.why]
    count, same = (sum(getattr(k, key) for k in clean) for key in ("images", "same_answer"))
    lines = [
        (
            f"  {kind.kind}: same answer for {kind.same_answer} of {kind.images}; logits differ by"
            f" {kind.relative_error:.2g} of their spread, {_WHY[kind.why].format(kind.layer)}"
        )
        for kind in kinds
        if kind.why
    ]
    if not clean:
        return lines
    most = max(kind.relative_error for kind in clean)
    names = ", ".join(kind.kind for kind in clean)
    summary = (
        f"  {count} more ({names}): same answer for {same} of {count}; logits differ by at most"
        f" {most:.2g} of their spread"
    )
    return [summary, *lines]


_WHY = {
    ROUNDINGS: "by signs within rounding of their thresholds: every layer agrees",
    SIGN_ZERO: "as Sign(0) counts as +1, first at {}",
}


def _line(what: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"  {len(names)} {what}: {', '.join(names[:_SHOWN])}{more}"
