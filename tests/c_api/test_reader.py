"""Tests that the C library refuses exactly the files that Python refuses, for the same reason."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from support.c_library import CError, CModel, same_bits
from support.damaged_files import (
    WAYS,
    damage_program,
    damaged,
    join,
    places,
    seal,
    split,
    with_program,
)
from support.program_builder import Builder
from support.random_programs import conv_program, random_images, random_program, step_programs

from bnas_deploy.engine.native.backend import NativeRunner
from bnas_deploy.errors import BackendError, FormatError
from bnas_deploy.format import PackedModel, read, to_bytes
from bnas_deploy.format.codec import encode
from bnas_deploy.format.container import pack
from bnas_deploy.format.steps import MaxPool2d
from bnas_deploy.format.strict_json import dump_json
from bnas_deploy.format.version import VERSION, parse_version, version_text

FORMAT_TESTS = Path(__file__).parents[1] / "format"
GOLDEN = sorted(FORMAT_TESTS.glob("golden_*.bnn"))
BLOB = GOLDEN[-1].read_bytes()
ISA = "scalar"


def python_decision(blob: bytes) -> tuple[str, str, Any]:
    """ok, format or backend; the message; the runner."""
    try:
        return "ok", "", NativeRunner(read(blob), isa=ISA)
    except FormatError as error:
        return "format", str(error), None
    except BackendError as error:
        return "backend", str(error), None


def c_decision(blob: bytes) -> tuple[str, str, Any]:
    try:
        return "ok", "", CModel(blob, ISA)
    except CError as error:
        return error.status, error.message, None


def agree(blob: bytes) -> str:
    """The decision that both readers come to; where they accept, they must give the same bits."""
    ours, why, runner = python_decision(blob)
    theirs, message, model = c_decision(blob)
    assert (ours, why) == (theirs, why), f"C says: {message}"
    if ours == "ok":
        d = model.description
        images = np.linspace(-2, 2, d.channels * d.height * d.width, dtype=np.float32)
        images = images.reshape(1, d.channels, d.height, d.width)
        assert same_bits(model.run(images), runner.run(images))
    return ours


def format_tests(name: str) -> ModuleType:
    """A test module of the format, for its lists of faults."""
    spec = importlib.util.spec_from_file_location(f"faults_{name}", FORMAT_TESTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses ask for it
    spec.loader.exec_module(module)
    return module


def unchecked(model: PackedModel) -> bytes | None:
    """The file of a model that breaks a rule, or None where it cannot be written as JSON."""
    try:
        text = dump_json(encode(model), "bnas.program")
    except FormatError:
        return None
    return pack(text, model.tensors, VERSION)


VALIDATION = sorted(path.stem for path in FORMAT_TESTS.glob("test_validation*.py"))


@pytest.mark.parametrize("name", VALIDATION)
def test_faults_of_programs(name: str) -> None:
    written = 0
    for fault, (model, _) in format_tests(name).FAULTS.items():
        blob = unchecked(model)
        if blob is None:
            continue
        written += 1
        assert agree(blob) == "format", fault
    assert written > 5


def beyond_the_limits() -> dict[str, PackedModel]:
    """Programs with too much of something each, in which nothing else is wrong."""
    models = {}
    b = Builder(np.random.default_rng(0), (4, 4096, 4096))
    for _ in range(64):
        b.global_avg_pool("image")
    models["units of work"] = b.finish()
    b = Builder(np.random.default_rng(0), (1, 1, 1))
    for _ in range(3):
        b.select_channels(b.concat(*["image"] * 50_000), np.zeros(1, np.int32))
    models["uses of values"] = b.finish()
    b = Builder(np.random.default_rng(0), (256, 256, 256))
    for _ in range(2):
        b.pool(MaxPool2d, "image", kernel=256, padding=0)
    models["terms"] = b.finish()
    b = Builder(np.random.default_rng(0), (1, 128, 128))
    b.pool(MaxPool2d, "image", kernel=255, padding=127)
    models["positions"] = b.finish()
    return models


def test_programs_beyond_the_limits() -> None:
    for what, model in beyond_the_limits().items():
        blob = unchecked(model)
        assert blob is not None
        with pytest.raises(FormatError, match=f"a program may have .* {what}, up") as python:
            read(blob)
        with pytest.raises(CError) as c:
            CModel(blob, ISA)
        assert c.value.message == str(python.value)


def test_a_header_beyond_the_limit() -> None:
    length = 2**24 + 8
    longer = TEXT.encode() + b" " * (length - len(TEXT))
    blob = length.to_bytes(8, "little") + longer + DATA
    with pytest.raises(FormatError, match="header: at most 16777216 bytes are allowed") as python:
        read(blob)
    with pytest.raises(CError) as c:
        CModel(blob, ISA)
    assert c.value.message == str(python.value)


def test_faults_of_documents() -> None:
    codec = format_tests("test_codec")
    b = Builder(np.random.default_rng(0), (3, 4, 5))
    b.binary_conv2d(b.binarize("image"), 4, stages=("scale",))
    b.concat("image", b.conv2d("image", 2))
    blob = to_bytes(b.finish())
    for path, value, _ in codec.FAULTS:
        document = json.loads(split(blob)[0]["__metadata__"]["bnas.program"])
        *parents, last = path
        place: Any = document
        for key in parents:
            place = place[key]
        if value is codec.DELETE:
            del place[last]
        else:
            place[last] = value
        assert agree(with_program(blob, json.dumps(document))) == "format", path


HEADER, DATA = split(BLOB)
TEXT = json.dumps(HEADER)
FILES: dict[str, bytes] = {
    "empty": b"",
    "seven bytes": BLOB[:7],
    "no header": BLOB[:8],
    "zip": b"PK\x03\x04" + BLOB,
    "trailing": BLOB + b"x",
    "huge header": b"\xff" * 8 + BLOB[8:],
    "header of no bytes": bytes(8) + BLOB[8:],
    "byte order mark": join("\ufeff" + TEXT, DATA),
    "list": join("[]", b""),
    "nothing": join("{}", b""),
    "null metadata": join('{"__metadata__":null}', b""),
    "list of metadata": join('{"__metadata__":[]}', b""),
    "overlong zero": join(TEXT.encode().replace(b'"dtype"', b'"d\xc0\x80type"', 1), DATA),
    "surrogate": join(TEXT.encode().replace(b'"dtype"', b'"d\xed\xa0\x80type"', 1), DATA),
    "beyond unicode": join(TEXT.encode().replace(b'"dtype"', b'"d\xf4\x90\x80\x80"', 1), DATA),
    "cut character": join(TEXT.encode()[:-1] + b"\xe2\x82", DATA),
    "twice": join('{"__metadata__":{},' + TEXT[1:], DATA),
    "escaped twice": join('{"\\u005f_metadata__":{},' + TEXT[1:], DATA),
}


@pytest.mark.parametrize("name", FILES)
def test_files(name: str) -> None:
    assert agree(FILES[name]) == "format"


@pytest.mark.parametrize("text", [" \n\t\r" + TEXT + " \n", json.dumps(HEADER, indent=3)])
def test_spaces_do_not_matter(text: str) -> None:
    assert agree(join(text, DATA)) == "ok"


VERSIONS = (
    "1.0", "1.1", "1.2", "1.3", "1.4", "1.10", "0.9", "2.0", "1", "1.", ".1", "1.0.0", "1.x",
    "-1.0", "", " 1.0", "1.0 ", "1.0\n", "01.002", "1.000002", "1.0000002", "9" * 5000 + ".0",
    "١.٠", "1,0",
)  # fmt: skip


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_versions(path: Path) -> None:
    header, data = split(path.read_bytes())
    decisions = set()
    for version in VERSIONS:
        header["__metadata__"]["bnas.version"] = version
        decisions.add(agree(join(header, data)))
    assert decisions == {"ok", "format"}


def test_the_newest_version_is_pythons() -> None:
    assert parse_version(version_text(VERSION)) == VERSION
    header, data = split(BLOB)
    header["__metadata__"]["bnas.version"] = version_text(VERSION)
    assert agree(join(header, data)) == "ok"


TEXTS = (
    "-0", "0", "00", "01", "-", "+1", "1.", ".5", "1e", "1e+", "1e5", "1E-5", "1e400", "-1e400",
    "1e-400", "0x10", "1_0", "NaN", "Infinity", "-Infinity", "9" * 19, "9" * 20, "-" + "9" * 19,
    "0." + "3" * 400, "1e-0000000000000001", "nan", "nul", "truee", "null", "[1,]", '{"a":1,}',
    '"\\u12g4"', '"\\"', '"\t"', '"\\ud83d\\ude00"', '"\\ude00\\ud83d"', '"\\ud83d"',
    "[" * 97 + "]" * 97, "[" * 98 + "]" * 98, "[" * 99 + "]" * 99, '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}', "", "/**/1",
)  # fmt: skip


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:20])
def test_json(text: str) -> None:
    """Anything may stand in the provenance, if it is JSON."""
    program = json.loads(HEADER["__metadata__"]["bnas.program"])
    program["provenance"] = {"here": "PLACE"}
    agree(with_program(BLOB, json.dumps(program).replace('"PLACE"', text)))


@pytest.mark.parametrize("number", ["1.1754943508222875e-38", "1.1754943508222874e-38", "1e-38"])
def test_the_least_std(number: str) -> None:
    program = json.loads(HEADER["__metadata__"]["bnas.program"])
    program["preprocessing"]["std"][0] = "PLACE"
    agree(with_program(BLOB, json.dumps(program).replace('"PLACE"', number)))


def test_minus_zero_is_zero_in_a_program_but_not_in_the_header() -> None:
    text = HEADER["__metadata__"]["bnas.program"]
    assert '"padding":[0' in text
    assert agree(with_program(BLOB, text.replace('"padding":[0', '"padding":[-0', 1))) == "ok"
    header = TEXT.replace('"data_offsets": [0', '"data_offsets": [-0', 1)
    assert header != TEXT
    assert agree(join(header, DATA)) == "format"


@pytest.mark.parametrize("prefix", range(4))
def test_messages_do_not_end_within_a_character(prefix: int) -> None:
    name = "x" * prefix + "\U0001f600" * 300
    for text in (json.dumps({name: 0}, ensure_ascii=False), f'{{"input": "{name}"}}'):
        assert agree(with_program(BLOB, text)) == "format"
    with pytest.raises(CError, match=r"\U0001f600\.\.\.: the file cannot be read"):
        CModel(Path(f"/{name}"))


def test_a_value_assigned_twice_by_one_step() -> None:
    b = Builder(np.random.default_rng(0), (2, 3, 3))
    b.binary_conv2d(b.binarize("image"), 2, stages=("scale", "scale"))
    blob = to_bytes(b.finish())
    program = json.loads(split(blob)[0]["__metadata__"]["bnas.program"])
    first, second = program["steps"][1]["stages"]
    second["output"] = first["output"]
    assert agree(with_program(blob, json.dumps(program))) == "format"


def test_programs_that_the_kernels_refuse() -> None:
    rng = np.random.default_rng(0)
    model = conv_program(rng, channels=4096, out_channels=1, height=3, width=3)
    assert agree(to_bytes(model)) == "backend"


def test_every_place_of_a_program_with_every_kind_of_value() -> None:
    """Each place of the newest golden file's program, replaced by a value of each type."""
    blob = GOLDEN[0].read_bytes()
    text = split(blob)[0]["__metadata__"]["bnas.program"]
    count = len(list(places(json.loads(text))))
    for i in range(count):
        program = json.loads(text)
        parent, key = list(places(program))[i]
        parent[key] = (None, True, 3, 0.5, "x", [], {})[i % 7]
        agree(with_program(blob, json.dumps(program)))


def originals() -> list[bytes]:
    rng = np.random.default_rng(5)
    programs = list(step_programs(3))
    chosen = rng.choice(len(programs), 40, replace=False)
    models = [programs[i][1] for i in chosen] + [random_program(rng, steps=5) for _ in range(8)]
    return [path.read_bytes() for path in GOLDEN] + [to_bytes(m) for m in models]


def test_random_damage() -> None:
    files, decisions = originals(), []
    for seed in range(1000):
        rng = np.random.default_rng([seed, 1])
        decisions.append(agree(damaged(rng, files[seed % len(files)])))
    assert decisions.count("ok") > 50
    assert decisions.count("format") > 500


def test_damage_is_sealed() -> None:
    """So that it is the damage that is found, not the checksum."""
    rng, found = np.random.default_rng(0), set()
    for _ in range(60):
        found.add(python_decision(damage_program(rng, BLOB))[1].split(":")[0])
    assert not any("checksum" in message for message in found)
    assert len(found) > 10
    assert read(seal(*split(BLOB))).labels == read(BLOB).labels
    assert len(set(WAYS)) == 5


def test_original_files_are_accepted() -> None:
    for blob in originals():
        assert agree(blob) == "ok"


def test_images_of_the_same_bits_for_a_file_at_any_address() -> None:
    model = random_program(np.random.default_rng(3))
    blob = to_bytes(model)
    header, data = split(blob)
    images = random_images(np.random.default_rng(4), model, 2)
    want = NativeRunner(model, isa=ISA).run(images)
    for spaces in range(8):  # the tensors move by a byte each time
        moved = join(json.dumps(header) + " " * spaces, data)
        assert same_bits(CModel(moved, ISA).run(images), want)
