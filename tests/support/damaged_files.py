"""Seeded damage to .bnn files: to bytes, text, program, header and tensors.

Most damage is sealed (the checksum made right again), so that it gets past the door.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Document = dict[str, Any]
Place = tuple[Any, Any]  # a list or object, and an index or key

NUMBERS = (
    0, -1, 1, 2, 3, 64, 65, 255, 256, 257, 65535, 65536, 65537, 2**24, 2**30, 2**31 - 1, 2**31,
    -(2**31), 2**62, 2**63 - 1, 2**63, 10**19 - 1, 10**19, 0.5, 1.0, -0.0, 1e-60, 1e30, 1e39, 1e300,
    float("nan"), float("inf"), 1.1754943508222875e-38, 1.1754943508222873e-38,
)  # fmt: skip
OTHERS = (
    None, True, False, "", "image", "none", "relu", "threshold", "scale", "f32", "bits", "F32",
    "I8", "é", "\0", "x" * 300, [], {}, [0], [1, 1], {"a": 1}, "__metadata__", "1.0", "1.1", "1.4",
)  # fmt: skip
LETTERS = '0123456789-+.eE[]{},:"\\ \t\nunltrfasNI\x00\x1f\x7fé\U0001f600'
ESCAPES = ("\\u0000", "\\ud800", "\\udc00", "\\ud83d\\ude00", "\\u00e", "\\x", "\\/", "\\u0041")


def split(blob: bytes) -> tuple[Document, bytes]:
    end = 8 + int.from_bytes(blob[:8], "little")
    return json.loads(blob[8:end]), blob[end:]


def join(header: Document | str | bytes, data: bytes) -> bytes:
    text = header if isinstance(header, (str, bytes)) else json.dumps(header)
    text = text.encode() if isinstance(text, str) else text
    return len(text).to_bytes(8, "little") + text + data


def seal(header: Document, data: bytes) -> bytes:
    """The file with a right checksum."""
    metadata = header.get("__metadata__")
    if isinstance(metadata, dict) and isinstance(metadata.get("bnas.program"), str):
        program = metadata["bnas.program"].encode("utf-8", "surrogatepass")
        metadata["bnas.sha256"] = hashlib.sha256(program + data).hexdigest()
    return join(header, data)


def with_program(blob: bytes, program: str) -> bytes:
    header, data = split(blob)
    header["__metadata__"]["bnas.program"] = program
    return seal(header, data)


def places(item: Any) -> Iterator[Place]:
    """Every place in lists and objects."""
    keys = item if isinstance(item, dict) else range(len(item)) if isinstance(item, list) else ()
    for key in keys:
        yield item, key
        yield from places(item[key])


def _pick(rng: np.random.Generator, items: Any) -> Any:
    return items[int(rng.integers(len(items)))]


def _other(rng: np.random.Generator, old: Any, everywhere: list[Place]) -> Any:
    """A value for a place: of the same type, from elsewhere, or anything."""
    way = rng.integers(4)
    if way == 0:
        parent, key = _pick(rng, everywhere)
        return copy.deepcopy(parent[key])
    if way == 1 and isinstance(old, int):
        return old + _pick(rng, (-2, -1, 1, 2))
    if way <= 2 and isinstance(old, str):
        names = [p[k] for p, k in everywhere if isinstance(p[k], str)]
        return _pick(rng, names)
    return _pick(rng, NUMBERS if rng.random() < 0.5 else OTHERS)


def _damage_document(rng: np.random.Generator, document: Any) -> None:
    for _ in range(int(rng.integers(1, 3))):
        everywhere = list(places(document))
        parent, key = _pick(rng, everywhere)
        way = rng.integers(10)
        if way == 0:
            del parent[key]
        elif way == 1 and isinstance(parent, dict):
            parent[_pick(rng, ("extra", "", "at", "fold", "bias"))] = parent[key]
        elif way == 1:
            parent.insert(key, copy.deepcopy(parent[key]))
        elif way == 2 and isinstance(parent, list):
            other = int(rng.integers(len(parent)))
            parent[key], parent[other] = parent[other], parent[key]
        else:
            parent[key] = _other(rng, parent[key], everywhere)


def damage_program(rng: np.random.Generator, blob: bytes) -> bytes:
    header, _ = split(blob)
    program = json.loads(header["__metadata__"]["bnas.program"])
    part = program
    if rng.random() < 0.7:  # most names of a document lie elsewhere
        part = _pick(rng, (program["steps"], program["steps"], program["values"]))
    _damage_document(rng, part)
    return with_program(blob, json.dumps(program, ensure_ascii=bool(rng.integers(2))))


def damage_header(rng: np.random.Generator, blob: bytes) -> bytes:
    header, data = split(blob)
    names = [name for name in header if name != "__metadata__"]
    name = _pick(rng, names)
    way = rng.integers(6)
    if way == 0:
        header[_pick(rng, ("t0", "", "a tensor"))] = header.pop(name)
    elif way == 1:
        other = _pick(rng, names)
        header[name], header[other] = header[other], header[name]
    elif way == 2:
        header["__metadata__"][_pick(rng, ("bnas.version", "format"))] = _pick(
            rng, ("1.0", "1.1", "1.2", "2.0", "01.0", "1.0\n", "1.", "")
        )
    else:
        _damage_document(rng, _pick(rng, (header[name], header)))
    return seal(header, data)


def damage_tensor(rng: np.random.Generator, blob: bytes) -> bytes:
    header, data = split(blob)
    name = _pick(rng, [n for n in header if n != "__metadata__"])
    entry = header[name]
    begin, end = entry["data_offsets"]
    dtype = {"F32": "<f4", "I32": "<i4", "U64": "<u8", "I8": "i1"}[entry["dtype"]]
    tensor = np.frombuffer(data[begin:end], dtype).copy()
    if not tensor.size:
        return blob
    values: Any = (np.nan, np.inf, -np.inf, -0.0, 0.0, 3e38, -1e-40, 1.0)
    if tensor.dtype.kind != "f":
        low, high = np.iinfo(tensor.dtype).min, np.iinfo(tensor.dtype).max
        values = (low, high, 0, 1, high // 2, high // 9)
    with np.errstate(over="ignore"):
        tensor[rng.integers(tensor.size, size=rng.integers(1, 4))] = _pick(rng, values)
    return seal(header, data[:begin] + tensor.tobytes() + data[end:])


def _edit(rng: np.random.Generator, text: str) -> str:
    for _ in range(int(rng.integers(1, 3))):
        at, to = (int(x) for x in rng.integers(0, len(text) + 1, 2))
        span = int(rng.integers(0, 3))
        new = _pick(rng, LETTERS) if rng.random() < 0.8 else _pick(rng, ESCAPES)
        if rng.random() < 0.2:
            new = text[to : to + int(rng.integers(1, 20))]
        text = text[:at] + new + text[at + span :]
    return text


def damage_text(rng: np.random.Generator, blob: bytes) -> bytes:
    """The JSON text of the program, or of the whole header."""
    header, data = split(blob)
    if rng.random() < 0.7:
        return with_program(blob, _edit(rng, header["__metadata__"]["bnas.program"]))
    return join(_edit(rng, json.dumps(header, ensure_ascii=False)), data)


def damage_bytes(rng: np.random.Generator, blob: bytes) -> bytes:
    damaged = bytearray(blob)
    if rng.random() < 0.1:
        return bytes(damaged[: int(rng.integers(len(blob)))])
    end = 8 + int.from_bytes(blob[:8], "little")
    for _ in range(int(rng.integers(1, 3))):
        damaged[int(rng.integers(end if rng.random() < 0.8 else len(blob)))] = rng.integers(256)
    return bytes(damaged)


WAYS: tuple[Callable[[np.random.Generator, bytes], bytes], ...] = (
    damage_program, damage_program, damage_program, damage_header, damage_tensor, damage_text,
    damage_bytes,
)  # fmt: skip


def damaged(rng: np.random.Generator, blob: bytes) -> bytes:
    """The file with one kind of damage, chosen at random."""
    return _pick(rng, WAYS)(rng, blob)
