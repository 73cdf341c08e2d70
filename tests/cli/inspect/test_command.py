"""Tests of `bnas-inspect`: every figure it shows is that of the file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.random_programs import random_program, step_programs
from support.small_models import picture_model, written

from bnas_deploy.cli.inspect.command import main
from bnas_deploy.cost.program import cost_summary
from bnas_deploy.format import write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    provenance = {"network": {"name": "tiny", "cells": [1, 2]}, "self-check": "passed"}
    return written(tmp_path, replace(picture_model(), provenance=provenance, cost={"flops": 7}))


def test_text(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{path}: packed network, format 1.0, {path.stat().st_size:,} bytes\n")
    words = " ".join(out.split())
    assert "shape (C, H, W) 3x8x8" in words
    assert "10 classes airplane, automobile" in words
    assert "binary_conv2d 1" in words
    assert f"binary MACs {5 * 64 * 9 * 6:,}" in words
    assert "network.name tiny network.cells [1, 2] self-check passed" in words
    assert "cost flops 7" in words
    assert "bits/row" not in words


def test_text_says_nothing_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = picture_model()
    network = {"name": "tiny", "genotype": {"normal": [["none", 1]]}}
    provenance = {"network": network, "genotype": "normal: (none,1)\nreduce: (none,0)"}
    totals = cost_summary(model.program, model.tensors)
    cost = {"binary_macs": totals["binary_macs"], "float_macs": -1, "full_flops": 1234567.0}
    path = written(tmp_path, replace(model, provenance=provenance, cost=cost))
    assert main([str(path)]) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert "provenance network.name tiny genotype normal: (none,1); reduce: (none,0) cost" in words
    assert "cost float_macs -1 full_flops 1,234,567 engine" in words


def test_steps(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(path), "--steps"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (row,) = [line.split() for line in lines if "binary_conv2d  " in line and "5x8x8" in line]
    assert row[1:6] == ["binary_conv2d", "5x8x8", "f32", str(9 * 6), f"{5 * 64 * 9 * 6:,}"]


def test_json(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = picture_model()
    assert main([str(path), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["version"] == "1.0"
    assert report["bytes"] == path.stat().st_size
    assert report["input"] == [3, 8, 8]
    assert report["labels"] == list(model.labels)
    assert report["preprocessing"]["crop"] == [8, 8]
    assert report["provenance"]["network"]["name"] == "tiny"
    assert [step["op"] for step in report["steps"]] == [step.OP for step in model.program.steps]
    tensor_bytes = sum(t.nbytes for t in model.tensors.values())
    assert sum(report["totals"]["bytes"].values()) == tensor_bytes
    assert sum(step["bytes"] for step in report["steps"]) == tensor_bytes
    assert "native" in report["engine"]
    if report["engine"]["native"] == "available":
        memory = report["engine"]["memory"]
        assert memory["beside the weights"] == memory["tables"] + memory["context"]


def test_no_backend_is_needed(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BNAS_BACKEND", "abacus")
    monkeypatch.setenv("BNAS_ISA", "abacus")
    assert main([str(path)]) == 0
    assert "engine" in capsys.readouterr().out


def test_every_step_can_be_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(11)
    every = {step.OP: model for _, model in step_programs() for step in model.program.steps}
    for model in [*every.values(), random_program(rng), random_program(rng, steps=30)]:
        write(model, tmp_path / "any.bnn")
        assert main([str(tmp_path / "any.bnn"), "--steps"]) == 0
        assert len(capsys.readouterr().out.splitlines()) > len(model.program.steps)


@pytest.mark.parametrize("content", [None, b"", b"hello"])
def test_bad_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    file = tmp_path / "bad.bnn"
    if content is not None:
        file.write_bytes(content)
    assert main([str(file)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "bad.bnn" in err


def test_missing_argument(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "MODEL.bnn" in capsys.readouterr().err
