"""Tests of damaged and hostile containers, one for each fault, each with its message."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.program_builder import Builder
from support.random_programs import random_program

from bnas_deploy.errors import FormatError
from bnas_deploy.format import read, to_bytes
from bnas_deploy.format.version import VERSION, version_text

BLOB = to_bytes(random_program(np.random.default_rng(1)))


def split(blob: bytes) -> tuple[dict[str, Any], bytes]:
    end = 8 + int.from_bytes(blob[:8], "little")
    return json.loads(blob[8:end]), blob[end:]


def join(header: dict[str, Any] | bytes, data: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data


def edited(change: Callable[[dict[str, Any]], None], *, seal: bool = True) -> bytes:
    """The blob with another header; `seal` makes the checksum right again."""
    header, data = split(BLOB)
    change(header)
    metadata = header.get("__metadata__")
    if seal and metadata and "bnas.sha256" in metadata:
        program = metadata.get("bnas.program", "")
        metadata["bnas.sha256"] = hashlib.sha256(program.encode() + data).hexdigest()
    return join(header, data)


def with_program(text: str) -> bytes:
    return edited(lambda h: h["__metadata__"].update({"bnas.program": text}))


def refused(blob: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read(blob)


def test_sealing_is_right() -> None:
    assert read(edited(lambda _: None)).labels == read(BLOB).labels


@pytest.mark.parametrize("size", [0, 1, 7])
def test_too_short(size: int) -> None:
    refused(BLOB[:size], f"expected a .bnn file, got {size} bytes; it is empty or truncated")


@pytest.mark.parametrize("size", [8, 9, 100, len(BLOB) // 2, len(BLOB) - 1])
def test_truncated(size: int) -> None:
    refused(BLOB[:size], "not a safetensors file, or truncated")


def test_every_length_is_refused_cleanly() -> None:
    for size in range(0, len(BLOB), 97):
        refused(BLOB[:size], "truncated")


def test_trailing_bytes() -> None:
    refused(BLOB + b"x", "not a safetensors file, or truncated")


def test_every_changed_byte_is_refused_or_harmless() -> None:
    """No error but FormatError may come out; only padding of the header may change unnoticed."""
    rng = np.random.default_rng(0)
    for at in rng.integers(0, len(BLOB), 400):
        blob = bytearray(BLOB)
        blob[at] ^= int(rng.integers(1, 256))
        try:
            read(bytes(blob))
        except FormatError:
            continue
        assert BLOB[at : at + 1].isspace()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"PK\x03\x04" + BLOB, "this is a zip archive"),
        (b"\x08\x08\x12\x07pytorch", r"this is an ONNX model \(bnas-import packs it\)"),
        (b"<!DOCTYPE html><html>", "this is a web page"),
    ],
)
def test_another_kind_of_file_is_named(content: bytes, told: str) -> None:
    refused(content, told)


def test_huge_header_length() -> None:
    refused(b"\xff" * 8 + BLOB[8:], "not a safetensors file")


def test_header_is_no_json() -> None:
    refused(join(b"{nonsense", b""), "not a safetensors file")


def test_other_safetensors_file() -> None:
    refused(edited(lambda h: h.pop("__metadata__")), "has no bnas.version; this is a safetensors")


@pytest.mark.parametrize("key", ["bnas.version", "bnas.program", "bnas.sha256"])
def test_missing_key(key: str) -> None:
    refused(edited(lambda h: h["__metadata__"].pop(key), seal=False), f"has no {key}")


def test_unknown_key() -> None:
    blob = edited(lambda h: h["__metadata__"].update({"format": "pt"}))
    refused(blob, "unknown key 'format', expected bnas.version, bnas.program, bnas.sha256")


OWN = version_text(VERSION)
NEXT = version_text((VERSION[0], VERSION[1] + 1))


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("2.0", f"format version 2.0, this program reads {OWN}; update bnas-deploy"),
        (NEXT, f"format version {NEXT}, this program reads {OWN}; update bnas-deploy"),
        ("0.9", f"format version 0.9, this program reads {OWN}; export the network again"),
        ("1", f"must look like {OWN}, got '1'"),
        ("1.0.0", f"must look like {OWN}, got '1.0.0'"),
        ("1.x", f"must look like {OWN}"),
        ("-1.0", f"must look like {OWN}"),
        ("", f"must look like {OWN}"),
        ("9" * 5000 + ".0", f"must look like {OWN}"),
        ("١.٠", f"must look like {OWN}"),
    ],
)
def test_versions(version: str, message: str) -> None:
    refused(edited(lambda h: h["__metadata__"].update({"bnas.version": version})), message)


def test_a_step_newer_than_the_version_that_the_file_states() -> None:
    b = Builder(np.random.default_rng(0), (2, 3, 3))
    b.quantized_conv2d("image", 1)
    header, data = split(to_bytes(b.finish()))
    assert header["__metadata__"]["bnas.version"] == "1.1"
    header["__metadata__"]["bnas.version"] = "1.0"
    message = r"step 0: quantized_conv2d came with version 1\.1, the file says 1\.0"
    refused(join(header, data), message)


def test_a_file_has_the_lowest_version_that_holds_its_steps() -> None:
    b = Builder(np.random.default_rng(0), (2, 3, 3))
    b.conv2d("image", 1)
    header, data = split(to_bytes(b.finish()))
    assert header["__metadata__"]["bnas.version"] == "1.0"
    header["__metadata__"]["bnas.version"] = "1.1"
    assert read(join(header, data)).program.steps[0].OP == "conv2d"


def test_checksum_of_the_program() -> None:
    def change(header: dict[str, Any]) -> None:
        m = header["__metadata__"]
        m["bnas.program"] = m["bnas.program"].replace('"resize":', '"resize": ')

    refused(edited(change, seal=False), "checksum bnas.sha256 is wrong; the file is damaged")


def test_checksum_of_the_tensors() -> None:
    refused(BLOB[:-1] + bytes([BLOB[-1] ^ 1]), "checksum bnas.sha256 is wrong")


def test_checksum_that_is_none() -> None:
    blob = edited(lambda h: h["__metadata__"].update({"bnas.sha256": "é"}), seal=False)
    refused(blob, "checksum bnas.sha256 is wrong")


@pytest.mark.parametrize("dtype", ["F64", "BF16", "I64", "BOOL"])
def test_dtypes(dtype: str) -> None:
    size = {"F64": 8, "BF16": 2, "I64": 8, "BOOL": 1}[dtype]

    def change(header: dict[str, Any]) -> None:
        entry = next(e for name, e in header.items() if name != "__metadata__")
        begin, end = entry["data_offsets"]
        entry.update(dtype=dtype, shape=[(end - begin) // size])

    refused(edited(change), f"has dtype {dtype}, expected one of U64, F32, I32, I8")


def first_tensor(change: Callable[[dict[str, Any]], None]) -> bytes:
    return edited(lambda h: change(next(e for name, e in h.items() if name != "__metadata__")))


def test_giant_shape() -> None:
    refused(first_tensor(lambda e: e.update(shape=[2**40, 2**40])), "not a safetensors file")
    refused(first_tensor(lambda e: e.update(shape=[2**62])), "not a safetensors file")


def test_negative_shape() -> None:
    refused(first_tensor(lambda e: e.update(shape=[-1])), "not a safetensors file")


def test_overlapping_tensors() -> None:
    def change(header: dict[str, Any]) -> None:
        a, b, *_ = (e for name, e in header.items() if name != "__metadata__")
        b.update(dtype=a["dtype"], shape=a["shape"], data_offsets=a["data_offsets"])

    refused(edited(change), "not a safetensors file")


def test_hole_between_tensors() -> None:
    header, data = split(BLOB)
    for entry in header.values():
        if "data_offsets" in entry:
            entry["data_offsets"] = [x + 8 for x in entry["data_offsets"]]
    refused(join(header, b"\0" * 8 + data), "not a safetensors file")


def test_many_dimensions() -> None:
    blob = first_tensor(lambda e: e.update(shape=e["shape"] + [1] * 100))
    refused(blob, "impossible shape")


def test_duplicate_key_in_the_header() -> None:
    header, data = split(BLOB)
    text = json.dumps(header)
    name = next(n for n in header if n != "__metadata__")
    twice = f'{{"{name}": {json.dumps(header[name])}, {text[1:]}'.encode()
    refused(join(twice, data), "occurs twice|not a safetensors file")


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("", "bnas.program is not valid JSON"),
        ("{", "bnas.program is not valid JSON"),
        ("[]", "bnas.program: expected an object, got a list of 0"),
        ("null", "bnas.program: expected an object, got None"),
        ('{"a": 1, "a": 2}', "bnas.program: key 'a' occurs twice"),
        ('{"a": NaN}', "bnas.program: NaN is not a JSON number"),
        ('{"a": -Infinity}', "bnas.program: -Infinity is not a JSON number"),
        ('{"a": 1e999}', "bnas.program: the number 1e999 is too large"),
        ('{"a": ' + "9" * 5000 + "}", "bnas.program: an integer of 5000 digits is too large"),
        (
            '{"a": ' + "[" * 100 + "]" * 100 + "}",
            "bnas.program is nested too deeply, more than 100",
        ),
        ("[" * 200_000, "bnas.program is nested too deeply"),
        ('{"a":' * 200_000, "bnas.program is nested too deeply"),
    ],
    ids=lambda x: x[:20],
)
def test_programs(program: str, message: str) -> None:
    refused(with_program(program), message)


def test_surrogates_in_the_program() -> None:
    refused(with_program('{"\\ud800": 1}'), "bnas.program is not UTF-8 text")
    refused(with_program('{"\\ud83d\\ude00": 1}'), "unknown key '\U0001f600'")


def test_the_deepest_program() -> None:
    refused(with_program("[" * 100 + "]" * 100), "expected an object, got a list of 1")


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e.update(note=0),
        lambda e: e.update(dtype={e["dtype"]: None}),
    ],
    ids=["unknown key", "dtype as an object"],
)
def test_entries_of_another_form(change: Callable[[dict[str, Any]], None]) -> None:
    refused(first_tensor(change), "tensor '.*': (expected an object with|dtype must be a string)")


def test_an_entry_as_a_list() -> None:
    def change(header: dict[str, Any]) -> None:
        name, entry = next((n, e) for n, e in header.items() if n != "__metadata__")
        header[name] = [entry["dtype"], entry["shape"], entry["data_offsets"]]

    refused(edited(change), "expected an object with")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.bnn", "missing.bnn: no such file; give the path of a .bnn file"),
        (".", "expected a .bnn file; this is a folder"),
        ("nul\0", "the file cannot be read"),
        ("x" * 5000, "the file cannot be read"),
    ],
    ids=["missing", "directory", "nul", "long"],
)
def test_paths(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=message):
        read(f"{tmp_path}/{name}")


def test_a_file_names_itself_in_errors(tmp_path: Path) -> None:
    path = tmp_path / "short.bnn"
    path.write_bytes(b"abc")
    with pytest.raises(FormatError, match=r"short\.bnn: expected a \.bnn file, got 3 bytes"):
        read(path)
