"""The program as JSON and back, strict about keys and types.

Every dataclass field is read by the decoder of its type: a new step needs no code here.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from bnas_deploy.errors import FormatError
from bnas_deploy.format.fields import fields_of
from bnas_deploy.format.limits import check_steps
from bnas_deploy.format.program import PackedModel, Preprocessing, Program, Value
from bnas_deploy.format.steps import STAGES, STEPS, Stage, Step

__all__ = ["Document", "decode", "encode"]

TOP_KEYS = (
    "input", "output", "values", "steps", "preprocessing", "labels", "provenance", "cost",
)  # fmt: skip
INTEGER_LIMIT = 2**31 - 1

Document = Mapping[str, Any]
_Decoder = Callable[[Any, str], Any]


def encode(model: PackedModel) -> dict[str, Any]:
    """The JSON object of a model, all but its tensors."""
    program = model.program
    return {
        "input": program.input,
        "output": program.output,
        "values": {name: dataclasses.asdict(value) for name, value in program.values.items()},
        "steps": [_encode_step(step) for step in program.steps],
        "preprocessing": dataclasses.asdict(model.preprocessing),
        "labels": list(model.labels),
        "provenance": dict(model.provenance),
        "cost": dict(model.cost),
    }


def decode(document: object, tensors: Mapping[str, Any]) -> PackedModel:
    """A model from its JSON object and tensors; types are checked here, sense in `validation`.

    Raises:
        FormatError: A key is missing or unknown, or a field has the wrong type.
    """
    top = _keys(document, TOP_KEYS, "bnas.program")
    steps = _list(top["steps"], "steps")
    check_steps(len(steps))
    program = Program(
        values={
            name: _dataclass(Value, value, f"value {name!r}")
            for name, value in _mapping(top["values"], "values").items()
        },
        steps=tuple(_decode_step(step, f"step {i}") for i, step in enumerate(steps)),
        input=_string(top["input"], "input"),
        output=_string(top["output"], "output"),
    )
    return PackedModel(
        program=program,
        tensors=tensors,
        preprocessing=_dataclass(Preprocessing, top["preprocessing"], "preprocessing"),
        labels=_strings(top["labels"], "labels"),
        provenance=_mapping(top["provenance"], "provenance"),
        cost=_mapping(top["cost"], "cost"),
    )


def _encode_step(step: Step) -> dict[str, Any]:
    fields = {field.name: content for field, content in step.contents()}
    if "stages" in fields:
        fields["stages"] = [
            {"kind": stage.KIND, **{f.name: content for f, content in stage.contents()}}
            for stage in fields["stages"]
        ]
    return {"op": step.OP, **fields}


def _decode_step(x: object, where: str) -> Step:
    fields, op = _tagged(x, "op", STEPS, where)
    step: Step = _dataclass(STEPS[op], fields, f"{where} ({op})")
    return step


def _decode_stage(x: object, where: str) -> Stage:
    fields, kind = _tagged(x, "kind", STAGES, where)
    stage: Stage = _dataclass(STAGES[kind], fields, f"{where} ({kind})")
    return stage


def _tagged(
    x: object, tag: str, choices: Mapping[str, object], where: str
) -> tuple[dict[str, Any], str]:
    fields = dict(_mapping(x, where))
    name = fields.pop(tag, None)
    if not isinstance(name, str) or name not in choices:
        known = ", ".join(sorted(choices))
        msg = f"{where}, field {tag!r}: expected one of {known}, got {_show(name)}"
        raise FormatError(msg)
    return fields, name


def _dataclass(cls: Any, x: object, where: str) -> Any:  # noqa: ANN401
    decoders = _decoders(cls)
    given = _keys(x, tuple(decoders), where)
    return cls(**{
        name: decoder(given[name], f"{where}, field {name!r}")
        for name, decoder in decoders.items()
    })  # fmt: skip


@functools.cache
def _decoders(cls: Any) -> dict[str, _Decoder]:  # noqa: ANN401
    return {field.name: DECODERS[field.type] for field in fields_of(cls)}


def _keys(x: object, expected: tuple[str, ...], where: str) -> dict[str, Any]:
    given = _mapping(x, where)
    for key in given:
        if key not in expected:
            msg = f"{where}: unknown key {key[:80]!r}, expected {', '.join(expected)}"
            raise FormatError(msg)
    for key in expected:
        if key not in given:
            msg = f"{where}: key {key!r} is missing"
            raise FormatError(msg)
    return given


def _refuse(expected: str, x: object, where: str) -> NoReturn:
    msg = f"{where}: expected {expected}, got {_show(x)}"
    raise FormatError(msg)


def _show(x: object) -> str:
    if isinstance(x, (dict, list)):
        return f"{'an object' if isinstance(x, dict) else 'a list'} of {len(x)}"
    text = repr(x)
    return text if len(text) <= 80 else text[:77] + "..."


def _mapping(x: object, where: str) -> dict[str, Any]:
    if not isinstance(x, dict):
        _refuse("an object", x, where)
    return x


def _list(x: object, where: str) -> list[Any]:
    if not isinstance(x, list):
        _refuse("a list", x, where)
    return x


def _string(x: object, where: str) -> str:
    if not isinstance(x, str):
        _refuse("a string", x, where)
    return x


def _optional_string(x: object, where: str) -> str | None:
    if x is None or isinstance(x, str):
        return x
    _refuse("a string or null", x, where)


def _strings(x: object, where: str) -> tuple[str, ...]:
    return tuple(_string(item, where) for item in _list(x, where))


def _integer(x: object, where: str) -> int:
    if type(x) is not int:  # True is an instance of int, too
        _refuse("a whole number", x, where)
    if abs(x) > INTEGER_LIMIT:
        _refuse(f"a whole number of at most {INTEGER_LIMIT}", x, where)
    return x


def _number(x: object, where: str) -> float:
    if not isinstance(x, (int, float)) or isinstance(x, bool):
        _refuse("a number", x, where)
    return float(x)


def _numbers(x: object, where: str) -> tuple[float, ...]:
    return tuple(_number(item, where) for item in _list(x, where))


def _integers(count: int) -> _Decoder:
    def decoder(x: object, where: str) -> tuple[int, ...]:
        items = _list(x, where)
        if len(items) != count:
            _refuse(f"{count} whole numbers", x, where)
        for item in items:
            _integer(item, where)
        return tuple(items)

    return decoder


def _stages(x: object, where: str) -> tuple[Stage, ...]:
    return tuple(_decode_stage(s, f"{where}, stage {i}") for i, s in enumerate(_list(x, where)))


DECODERS: dict[Any, _Decoder] = {
    str: _string,
    str | None: _optional_string,
    int: _integer,
    tuple[int, int]: _integers(2),
    tuple[int, int, int]: _integers(3),
    tuple[int, int, int, int]: _integers(4),
    tuple[float, ...]: _numbers,
    tuple[str, ...]: _strings,
    tuple[Stage, ...]: _stages,
}
