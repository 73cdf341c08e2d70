"""Tests of a measured column: answers first, everything is there, nothing is measured twice."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from bnas_deploy.errors import BackendError
from bnas_deploy.experiments.frontier import race
from bnas_deploy.experiments.frontier.columns import COLUMNS, here
from bnas_deploy.experiments.frontier.machine_file import read_all
from bnas_deploy.experiments.results import read_results
from bnas_deploy.rivals.files import FILE_ENGINES, Loaded, missing

SCALAR = COLUMNS["scalar-forced"]
OWN = COLUMNS["avx512-vnni"]


@pytest.fixture
def files(ran, tmp_path):
    """A copy of the files of both networks."""
    runs, _ = ran
    return shutil.copytree(runs / "frontier-smoke" / "files", tmp_path / "files")


def test_every_column_of_this_machine_is_measured(ran):
    runs, said = ran
    found = read_all(runs / "frontier-smoke" / "machines")
    assert sorted(m.column for m in found) == sorted(c.name for c in here())
    for machine in found:
        assert f"frontier: measuring {machine.label}" in said
        assert list(machine.networks) == ["mini", "resnet8"]
        assert machine.networks["mini"]["times"]["packed"]["ms"] > 0


def test_every_rival_is_measured_or_left_out_with_a_reason(ran):
    runs, _ = ran
    for machine in read_all(runs / "frontier-smoke" / "machines"):
        facts, column = machine.networks["resnet8"], COLUMNS[machine.column]
        assert {*facts["times"], *facts["left_out"]} == set(column.rivals)
        for name in column.rivals:
            if missing(name):
                assert facts["left_out"][name] == missing(name)


def test_a_forced_instruction_set_is_seen_in_the_kernels(ran):
    runs, _ = ran
    found = {m.column: m for m in read_all(runs / "frontier-smoke" / "machines")}
    if "avx2-forced" not in found:
        pytest.skip("this machine cannot stand for an older one")
    facts = found["avx2-forced"].networks
    assert facts["mini"]["kernels"] == {"packed": {"avx2": 1}}
    for name, kernels in facts["resnet8"]["kernels"].items():
        assert kernels, name
        assert not [k for k in kernels if "avx512" in k]


def test_trainings_are_measured_after_quantization(ran):
    results = read_results(ran[0] / "frontier-smoke.json")
    metrics = {job.variant: set(job.metrics) for job in results.jobs}
    assert {"packed_accuracy", "packed_8bit_accuracy"} < metrics["mini"]
    assert "int8_accuracy" in metrics["resnet8"]


def test_what_is_there_is_not_measured_again(ran, smoke):
    runs, _ = ran
    before = {p: p.read_bytes() for p in (runs / "frontier-smoke" / "machines").iterdir()}
    said = []
    smoke("frontier", runs, said=said)
    assert not [text for text in said if "measuring" in text or "made" in text]
    assert sum("is measured; delete" in text for text in said) == len(before)
    assert {p: p.read_bytes() for p in before} == before


def test_a_packed_network_that_is_not_exact_ends_it(files):
    with np.load(files / "mini" / "check.npz") as check:
        changed = {"pictures": check["pictures"], "right": check["right"] + 1e-6}
    np.savez(files / "mini" / "check.npz", **changed)
    with pytest.raises(BackendError, match="mini: native scalar does not give the reference's"):
        race.measure(files, ["mini"], SCALAR, 1)


def test_a_rival_that_is_off_is_left_out(files):
    with np.load(files / "resnet8" / "check.npz") as check:
        changed = {"pictures": check["pictures"], "right": -check["right"]}
    np.savez(files / "resnet8" / "check.npz", **changed)
    facts = race.measure(files, ["resnet8"], OWN, 1)["resnet8"]
    assert facts["times"] == {}
    assert facts["left_out"]["onnxruntime-float32"] == "its answers are 200.0% off PyTorch's"


def test_a_rival_that_does_not_obey_is_left_out(files, monkeypatch):
    runs = {"resnet8": np.load(files / "resnet8" / "check.npz")["right"]}

    def load(name, model):
        kernels = {"brgconv_avx512_f32": 3}
        return Loaded(lambda image: runs["resnet8"][:1], lambda image: image.sum, kernels)

    monkeypatch.setattr(race, "load", load)
    monkeypatch.setattr(race, "missing", lambda name: "")
    facts = race.measure(files, ["resnet8"], COLUMNS["avx2-forced"], 1)["resnet8"]
    reason = "it runs brgconv_avx512_f32 although avx2 is forced"
    assert facts["left_out"] == {"openvino-float32": reason, "openvino-int8": reason}


def test_a_process_of_its_own_says_what_went_wrong(files, tmp_path):
    with np.load(files / "mini" / "check.npz") as check:
        changed = {"pictures": check["pictures"], "right": check["right"] + 1e-6}
    np.savez(files / "mini" / "check.npz", **changed)
    words = ["scalar-forced", files, "1", tmp_path / "result.json", "mini"]
    command = [sys.executable, "-m", "bnas_deploy.experiments.frontier.race", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: mini: native scalar")
    assert not (tmp_path / "result.json").exists()


def test_files_are_stated(ran):
    runs, _ = ran
    (machine, *_) = read_all(runs / "frontier-smoke" / "machines")
    folder = runs / "frontier-smoke" / "files"
    for key, facts in machine.networks.items():
        entry = json.loads((folder / key / "entry.json").read_text())
        assert entry["network"] == facts["network"]
        for name, size in facts["bytes"].items():
            assert (folder / key / name).stat().st_size == size
    files = {engine.file for engine in FILE_ENGINES.values() if "onnx" in engine.file}
    assert files <= set(machine.networks["resnet8"]["bytes"])
