"""A run of the frontier under the budget smoke, and results of two kinds of machine."""

from __future__ import annotations

import pytest

from bnas_deploy.experiments.frontier.machine_file import MachineResults
from bnas_deploy.experiments.frontier.published import PUBLISHED

MS = {"packed": 0.1, "openvino-float32": 0.4, "openvino-int8": 0.2, "onnxruntime-int8": 0.3}


@pytest.fixture(scope="session")
def ran(smoke, tmp_path_factory):
    """The folder of a run, and what was said."""
    runs, said = tmp_path_factory.mktemp("frontier"), []
    smoke("frontier", runs, said=said)
    return runs, said


def facts(network, engines):
    """What a race gives of one network; deeper ones are slower."""
    slower = 1 + 0.01 * (network.config.layers or 1)
    times = {n: {"ms": slower * MS[n], "iqr_ms": 0.01, "calls": 20} for n in engines}
    names = ("packed.bnn",) if network.binary else ("float.onnx", "int8.onnx")
    return {
        "label": network.label,
        "binary": network.binary,
        "network": network.config.to_dict(),
        "bytes": {name: 1_000_000 if "float" in name else 300_000 for name in names},
        "times": times,
        "differences": {name: 1e-6 for name in engines if "float32" in name},
        "correlations": {name: 0.95 for name in engines if "int8" in name},
        "kernels": {name: {f"jit_{name}": 3} for name in engines if "openvino" in name},
        "left_out": {} if network.binary else {"litert-int8": "ai_edge_litert is not installed"},
    }


@pytest.fixture
def machine():
    """Make results of one kind of machine, of all networks with published accuracies."""

    def make(column, rivals=("openvino-float32", "openvino-int8", "onnxruntime-int8"), cpu="Cpu 1"):
        networks = {p.key: facts(p, ("packed",) if p.binary else rivals) for p in PUBLISHED}
        (mini,) = [p for p in PUBLISHED if p.key == "bnas-mini-pool1x1"]
        twin = {**facts(mini, rivals), "binary": False}
        networks["bnas-mini-pool1x1-float"] = twin
        return MachineResults(column, "2026-12-01", {"cpu": cpu}, {"numpy": "2"}, 3, networks)

    return make
