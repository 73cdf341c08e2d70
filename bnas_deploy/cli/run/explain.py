"""The output of `bnas-run --explain`: a table, or plain values for JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from textwrap import fill
from typing import Any

from bnas_deploy.cli.common.text import safe, write_table
from bnas_deploy.runtime.explain import Explanation, StepReport
from bnas_deploy.runtime.model import Model

__all__ = ["explanation_record", "write_explanation"]

HEADER = (
    "step", "op", "result", "kernel", "taps", "tile", "binary MACs", "8-bit MACs", "float MACs",
    "bytes", "ms", "share", "G MACs/s", "MACs/cycle", "of limit",
)  # fmt: skip


def explanation_record(explanation: Explanation) -> dict[str, Any]:
    """The explanation as plain values for JSON.

    Returns:
        `limit`; `binary_share`; `other_shares`, those of the other kinds of steps, by name;
        `slowest`, the indices of these steps; `profile`, a record a step.
    """
    limit = explanation.limit
    return {
        "limit": None if limit is None else asdict(limit),
        "binary_share": explanation.binary_share,
        "other_shares": explanation.other_shares(),
        "slowest": [step.cost.index for step in explanation.slowest()],
        "profile": [step.to_dict() for step in explanation.steps],
    }


def write_explanation(model: Model, explanation: Explanation) -> None:
    """Print where the time goes, one line per step, and around it what holds for all of them."""
    isa = "" if model.isa is None else f", instruction set {model.isa}"
    print(f"backend {model.backend}{safe(isa)}, one thread")
    print(_limit_line(explanation))
    _write_summary(explanation)
    write_table(HEADER, (_row(step) for step in explanation.steps))
    print(f"all steps: {explanation.seconds * 1e3:.3f} ms")


def _write_summary(explanation: Explanation) -> None:
    binary = explanation.binary_share
    kinds = [f"{op} {share:.1%}" for op, share in explanation.other_shares().items()]
    line = f"time: binary convolutions {binary:.0%}, everything else {1 - binary:.0%}"
    line += f" ({', '.join(kinds)})" if kinds else ""
    print(fill(f"{line}; most of all:", 80, subsequent_indent="  "))
    for step in explanation.slowest():
        line = f"step {step.cost.index}, {step.cost.op}, {step.share:.0%}: {step.reason}"
        print(fill(line, 80, initial_indent="  ", subsequent_indent="    "))


def _limit_line(explanation: Explanation) -> str:
    limit = explanation.limit
    if limit is None:
        return "limit of the machine: not measured (the native backend has the loop for it)"
    rate = f"{limit.binary_macs_per_second / 1e9:,.0f} G binary MACs/s"
    clock = "clock not steady, so no figures per cycle"
    if limit.cycles_per_second:
        cycle = limit.binary_macs_per_second / limit.cycles_per_second
        clock = f"{cycle:,.0f} per cycle at {limit.cycles_per_second / 1e9:.2f} GHz"
    return f"limit of the machine: {rate}, {clock} (xor, popcount, add on registers; measured now)"


def _row(step: StepReport) -> tuple[object, ...]:
    cost = step.cost
    return (
        cost.index,
        cost.op,
        "x".join(map(str, cost.shape)),
        "+".join(use.kernel for use in step.kernels) or "-",
        _joined(use.gather for use in step.kernels),
        _joined(use.tile for use in step.kernels),
        f"{cost.binary_macs:,}" if cost.binary_macs else "-",
        f"{cost.eight_bit_macs:,}" if cost.eight_bit_macs else "-",
        f"{cost.float_macs:,}" if cost.float_macs else "-",
        f"{cost.bytes:,}" if cost.bytes else "-",
        f"{step.seconds * 1e3:.3f}",
        f"{step.share:.1%}",
        f"{step.macs_per_second / 1e9:.1f}" if step.macs_per_second else "-",
        f"{step.macs_per_cycle:.1f}" if step.macs_per_cycle else "-",
        "-" if step.limit_share is None else f"{step.limit_share:.0%}",
    )


def _joined(words: Iterable[str | None]) -> str:
    return "+".join(word for word in words if word) or "-"
