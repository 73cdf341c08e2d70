"""Tests of a file whose content is decoded later: same errors, decoded once, or never."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.damaged_files import damaged, join, split
from support.random_programs import random_images, random_program

import bnas_deploy
from bnas_deploy import engine
from bnas_deploy.engine import available
from bnas_deploy.errors import FormatError
from bnas_deploy.format import ModelFile, read, to_bytes
from bnas_deploy.format import model_file as module

GOLDEN = sorted(Path(__file__).parent.glob("golden_*.bnn"))
BACKENDS = [name for name, missing in available().items() if missing is None]
needs_native = pytest.mark.skipif("native" not in BACKENDS, reason="_kernels is not built")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_file_runs_as_its_content_does(path: Path, backend: str) -> None:
    file, packed = ModelFile.at(path), read(path)
    runner = engine.create(file, backend=backend)
    images = random_images(np.random.default_rng(0), packed, 2)
    want = engine.create(packed, backend="reference")
    assert np.array_equal(runner.run(images), want.run(images))
    assert runner.interface == packed.interface == want.interface
    assert file.packed is file.packed
    assert file.packed.file == path.read_bytes()


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_backend_refuses_a_file_in_the_same_words(tmp_path: Path, backend: str) -> None:
    blob = to_bytes(random_program(np.random.default_rng(0)))
    wrong = [b"", blob[:-1], b"\x08\x07 is ONNX", blob[:-1] + bytes([blob[-1] ^ 1])]
    wrong += [join("{}", b""), damaged(np.random.default_rng(1), blob)]
    for content in wrong:
        path = tmp_path / "model.bnn"
        path.write_bytes(content)
        with pytest.raises(FormatError) as expected:
            read(path)
        with pytest.raises(FormatError) as met:
            bnas_deploy.load(path, backend=backend)
        assert str(met.value) == str(expected.value)
        assert str(met.value).startswith(f"{path}: ")


@needs_native
def test_what_only_the_kernels_reader_refuses_is_still_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.bnn"
    path.write_bytes(to_bytes(random_program(np.random.default_rng(0)))[:-1])
    monkeypatch.setattr(ModelFile, "packed", None)
    with pytest.raises(FormatError, match=r"model\.bnn: tensor .* ends behind the file"):
        bnas_deploy.load(path, backend="native")


def test_a_file_without_a_path() -> None:
    blob = to_bytes(random_program(np.random.default_rng(0)))
    assert ModelFile(blob).packed.program == read(blob).program
    header, data = split(blob)
    header["__metadata__"]["bnas.version"] = "9.0"
    with pytest.raises(FormatError, match=r"^the file has format version 9\.0"):
        _ = ModelFile(join(json.dumps(header), data)).packed


def test_too_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FILE_LIMIT", 8)
    with pytest.raises(FormatError, match="at most 8 bytes, got 9"):
        ModelFile(bytes(9))


@needs_native
def test_the_native_engine_needs_no_decoding_in_python() -> None:
    code = (
        "import sys, bnas_deploy\n"
        f"model = bnas_deploy.load({str(GOLDEN[-1])!r}, backend='native')\n"
        "assert model.labels and model.preprocessing and model.input_shape\n"
        "print('bnas_deploy.format.steps' in sys.modules, 'safetensors' in sys.modules)\n"
        "assert len(model.packed.program.steps)\n"
        "print('bnas_deploy.format.steps' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False", "True"]
