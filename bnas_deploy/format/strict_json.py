"""JSON from untrusted files: no duplicate keys, no NaN, no endless numbers."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any, NoReturn

from bnas_deploy.errors import FormatError

__all__ = ["dump_json", "parse_json"]

INTEGER_DIGITS = 19
DEPTH_LIMIT = 100
CONTAINERS = {dict, list}
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parse_json(text: str | bytes, where: str) -> Any:  # noqa: ANN401
    """Parse JSON text; `where` names it in messages.

    Raises:
        FormatError: The text is not JSON, not UTF-8, nested more than 100 deep, repeats a key in an
            object, has a number that is not finite or an integer of more than 19 digits, or a
            string with a lone surrogate.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_constant,
        )
        if SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeError as error:
        msg = f"{where} is not UTF-8 text ({error}); the file is damaged"
        raise FormatError(msg) from error
    except RecursionError as error:
        msg = f"{where} is nested too deeply"
        raise FormatError(msg) from error
    except FormatError as error:
        msg = f"{where}: {error}"
        raise FormatError(msg) from error
    except ValueError as error:
        msg = f"{where} is not valid JSON ({error}); the file is damaged"
        raise FormatError(msg) from error
    _check_depth(value, where)
    return value


def _check_depth(value: Any, where: str) -> None:  # noqa: ANN401
    level = [value]
    for _ in range(DEPTH_LIMIT + 1):
        # What the parser makes has exactly these types, and comparing them takes half the time.
        nested = [item for item in level if type(item) in CONTAINERS]
        if not nested:
            return
        level = [x for item in nested for x in (item.values() if type(item) is dict else item)]
    msg = f"{where} is nested too deeply, more than {DEPTH_LIMIT} levels"
    raise FormatError(msg)


def dump_json(value: object, where: str) -> str:
    """The JSON text of `value`, compact; keys keep their order.

    Raises:
        FormatError: `value` holds what JSON cannot (NaN, an object, a key that is not a string).
    """
    _check_keys(value, where)
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        text.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        msg = f"{where} cannot be written as JSON: {error}"
        raise FormatError(msg) from error
    return text


def _check_keys(value: object, where: str) -> None:
    # json.dumps turns a key like 1 or None into a string, which would come back as something else.
    todo, seen = [value], 0
    while todo and seen < 1_000_000:
        seen += 1
        item = todo.pop()
        if isinstance(item, dict):
            for key in item:
                if not isinstance(key, str):
                    msg = f"{where}: keys must be strings, got {key!r}"
                    raise FormatError(msg)
            todo.extend(item.values())
        elif isinstance(item, (list, tuple)):
            todo.extend(item)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        # One pass: a search for each key would take hours where a file has a million of them.
        twice = next(key for key, n in Counter(key for key, _ in pairs).items() if n > 1)
        msg = f"key {twice[:80]!r} occurs twice"
        raise FormatError(msg)
    return result


def _integer(digits: str) -> int:
    if len(digits) > INTEGER_DIGITS and len(digits.lstrip("-")) > INTEGER_DIGITS:
        msg = f"an integer of {len(digits)} digits is too large"
        raise FormatError(msg)
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        msg = f"the number {digits[:40]} is too large"
        raise FormatError(msg)
    return value


def _constant(name: str) -> NoReturn:
    msg = f"{name} is not a JSON number; numbers must be finite"
    raise FormatError(msg)
