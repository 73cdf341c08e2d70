"""Runs of experiments under the budget smoke, for the tests of running and rendering."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from bnas_deploy.cli.report.training import Machine, train_job
from bnas_deploy.experiments.registry import find
from bnas_deploy.experiments.running.images import Images
from bnas_deploy.experiments.running.runner import Options, run_experiment


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def smoke():
    """Run an experiment; `train` replaces the training of a job."""

    def run(name, runs, *, train=None, said=None, **options):
        train = train or partial(train_job, machine=Machine("cpu", "off", quiet=True))
        made = Options(runs=runs, images=Images("smoke"), **options)
        say = (lambda text: None) if said is None else said.append
        return run_experiment(find(name), made, train, say)

    return run


@pytest.fixture(scope="session")
def done(smoke, tmp_path_factory):
    """The folder of three experiments that were run."""
    runs = tmp_path_factory.mktemp("runs")
    for name in ("shortcuts", "table8"):
        smoke(name, runs)
    smoke("table1", runs, only=("conv3-float", "sep3-centred"))
    return runs
