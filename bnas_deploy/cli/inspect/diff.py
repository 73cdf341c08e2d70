"""`bnas-inspect --diff`: the differences of two dumps or two models, as text or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bnas_deploy.cli.common.text import safe, write_table
from bnas_deploy.errors import UsageError
from bnas_deploy.format.difference import Difference
from bnas_deploy.format.model_diff import ModelDiff, StepDiff, diff_models
from bnas_deploy.format.reader import read
from bnas_deploy.runtime.dump import Dump, read_dump
from bnas_deploy.runtime.dump_diff import DumpDiff, ValueDiff, diff_dumps

__all__ = ["show_diff"]

DIFFERENT = 1
LONG = 60
DUMP_HEADER = (
    "step", "op", "value", "kind", "first at", "differing", "of", "absolute", "relative",
)  # fmt: skip


def show_diff(first: str, second: str, *, as_json: bool) -> int:
    """Print what differs between two dumps (folders) or two models (files).

    Returns:
        The exit status: 0 where they are equal, 1 where they differ.

    Raises:
        UsageError: One is a folder, the other is not.
        FormatError: One cannot be read.
    """
    folders = [Path(path).is_dir() for path in (first, second)]
    if folders[0] != folders[1]:
        msg = f"--diff compares two dumps or two models; {first} and {second} are one of each"
        raise UsageError(msg)
    diff = _dumps if folders[0] else _models
    return diff(first, second, as_json)


def _dumps(first: str, second: str, as_json: bool) -> int:
    a, b = read_dump(first), read_dump(second)
    diff = diff_dumps(a, b)
    if as_json:
        print(json.dumps(_dump_record(first, second, diff), indent=2, allow_nan=False))
    else:
        _write_dumps(a, b, diff)
    return 0 if diff.equal else DIFFERENT


def _dump_record(first: str, second: str, diff: DumpDiff) -> dict[str, Any]:
    return {
        "first": first,
        "second": second,
        "equal": diff.equal,
        "problems": list(diff.problems),
        "first_difference": None if diff.first is None else diff.first.to_dict(),
        "values": [value.to_dict() for value in diff.values],
    }


def _write_dumps(a: Dump, b: Dump, diff: DumpDiff) -> None:
    for dump in (a, b):
        isa = "" if dump.isa is None else f"/{dump.isa}"
        print(safe(f"{dump.folder}: backend {dump.backend}{isa}, {len(dump.images)} images"))
    for problem in diff.problems:
        print(safe(problem))
    differing = [value for value in diff.values if value.difference.differing]
    if differing:
        value = differing[0]
        print(safe(f"first difference: step {value.value.step}, value {value.value.name}"))
        write_table(DUMP_HEADER, map(_value_row, differing))
    print(f"{len(diff.values) - len(differing)} of {len(diff.values)} values are equal to the bit")


def _value_row(diff: ValueDiff) -> tuple[object, ...]:
    v = diff.value
    at = ",".join(map(str, diff.at or ()))
    d = diff.difference
    return (
        v.step if v.step >= 0 else "-",
        *(v.op, safe(v.name), v.kind, at, f"{d.differing:,}", f"{d.elements:,}"),
        *(_number(d.largest_absolute), _number(d.largest_relative)),
    )


def _number(x: float | None) -> str:
    return "-" if x is None else f"{x:.3g}"


def _models(first: str, second: str, as_json: bool) -> int:
    diff = diff_models(read(first), read(second))
    if as_json:
        print(json.dumps(_model_record(first, second, diff), indent=2, allow_nan=False))
    else:
        for line in _model_lines(diff):
            print(safe(line))
    return 0 if diff.equal else DIFFERENT


def _model_record(first: str, second: str, diff: ModelDiff) -> dict[str, Any]:
    return {
        "first": first,
        "second": second,
        "equal": diff.equal,
        "fields": {name: list(both) for name, both in diff.fields.items()},
        "steps": [step.to_dict() for step in diff.steps],
    }


def _model_lines(diff: ModelDiff) -> Iterator[str]:
    yield from _field_lines(diff.fields, "")
    for step in diff.steps:
        yield f"{_place(step)} ({step.op}, {', '.join(step.outputs)}): {step.what}"
        yield from _field_lines(step.fields, "  ")
        for tensor in step.tensors:
            yield f"  {tensor.field} ({tensor.name}): {_amount(tensor.difference)}"
    if diff.equal:
        yield "no difference: the same steps, tensors, labels and preprocessing"


def _place(step: StepDiff) -> str:
    numbers = [str(n) for n in (step.first, step.second) if n is not None]
    return f"step {' -> '.join(dict.fromkeys(numbers))}"


def _field_lines(fields: Mapping[str, tuple[Any, Any]], indent: str) -> Iterator[str]:
    for name, (a, b) in fields.items():
        yield f"{indent}{name}: {_short(a)} -> {_short(b)}"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONG else text[: LONG - 3] + "..."


def _amount(d: Difference) -> str:
    if d.largest_absolute is None:
        return f"{d.differing:,} of {d.elements:,} bits differ"
    return (
        f"{d.differing:,} of {d.elements:,} elements differ, "
        f"by at most {d.largest_absolute:.3g} ({d.largest_relative:.3g} relative)"
    )
