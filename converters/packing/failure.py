"""What a failed self-check says: on which inputs, at which layer, and what to do."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bnas_deploy.converters.packing.parting import Parting
from bnas_deploy.converters.packing.source import Source
from bnas_deploy.converters.packing.verdict import SIGN_ZERO, Verdict
from bnas_deploy.converters.signs.obstacles import Refusal
from bnas_deploy.errors import BnasError, ConversionError, UsageError

__all__ = ["CheckFailure", "failure", "failure_record"]


class CheckFailure(ConversionError):
    """A packed program that gives other answers than the original.

    Attributes:
        kind: Of the inputs.
        layer: Where the two first part, by the name that the user's model has; None if unknown.
        option: What helps; None if nothing is known to.
    """

    def __init__(
        self, lines: tuple[str, ...], kind: str, layer: str | None, option: str | None
    ) -> None:
        super().__init__("; ".join(lines))
        self._lines = lines
        self.kind, self.layer, self.option = kind, layer, option

    @property
    def lines(self) -> tuple[str, ...]:
        """What differs; where and why; what to do."""
        return self._lines


def failure(source: Source, verdict: Verdict, kind: str, count: int, differs: str) -> CheckFailure:
    """Return the error.

    Args:
        source: What was packed.
        verdict: Why the two differ.
        kind: Of the inputs.
        count: Their number.
        differs: Who differs, and by how much.
    """
    option = _option(source, verdict)
    inputs = f"{count} {kind}" if kind.endswith("images") else _of_kind(source, kind, count)
    head = f"self-check failed on {inputs}: {differs}; nothing was written"
    where = [] if verdict.parting is None else [_where(source, verdict, verdict.parting)]
    what = [_advice(verdict, option)]
    layer = None if verdict.parting is None else verdict.parting.layer
    return CheckFailure((head, *where, *what), kind, layer, option)


def _of_kind(source: Source, kind: str, count: int) -> str:
    what = "input" if min(source.graph.input_shape[1:]) == 1 else "picture"
    return f"{count} {what}{'s' * (count > 1)} ({kind})"


def _option(source: Source, verdict: Verdict) -> str | None:
    if verdict.why == SIGN_ZERO:
        return "--sign-zero exact" if source.sign_zero in ("auto", "plus") else None
    return None if verdict.in_graph else "--backend reference"


def _where(source: Source, verdict: Verdict, parting: Parting) -> str:
    name = source.original.name
    if verdict.why == SIGN_ZERO:
        return (
            f"they first part at {parting.layer}: {100 * parting.zeros:.0f}% of the signs that it"
            f" reads there are of exactly 0, which {name} takes for 0 and the packed program for +1"
        )
    given = ", given the same inputs" if verdict.in_graph else ""
    return (
        f"they first part at {parting.layer}: by {parting.difference:.2g} of its largest"
        f" value{given}"
    )


def _advice(verdict: Verdict, option: str | None) -> str:
    if verdict.why == SIGN_ZERO and option is not None:
        return (
            f"pass {option}, which keeps the 0 everywhere (if the network was trained with"
            " Sign(0) = +1, --no-check)"
        )
    if verdict.in_graph:
        return "this is a bug of the converter: please report it"
    return (
        "this is a bug of the converter or the backend: try --backend reference, and please report"
        " it"
    )


def failure_record(error: BnasError) -> dict[str, Any]:
    """Return why a conversion failed as plain values for JSON.

    Its `code` is `obstacles`, with all of them; `self-check`, with the kind of inputs, the layer
    and the option; `usage` for options; or `model` for anything else about the model.
    """
    record: dict[str, Any] = {"message": "\n".join(error.lines)}
    if isinstance(error, CheckFailure):
        own = {"inputs": error.kind, "layer": error.layer, "option": error.option}
        return {"code": "self-check", **record, **own}
    if isinstance(error, Refusal):
        found = [asdict(obstacle) for obstacle in error.obstacles]
        return {"code": "obstacles", **record, "obstacles": found}
    return {"code": "usage" if isinstance(error, UsageError) else "model", **record}
