"""Pins the process to one core and writes into the report what machine and engine were measured."""

from __future__ import annotations

import os
from typing import Any

import numpy
import onnxruntime
import pytest
import torch

from bnas_deploy import engine


def pytest_benchmark_update_machine_info(
    config: pytest.Config, machine_info: dict[str, Any]
) -> None:
    """Add what the ratios depend on."""
    machine_info["engine"] = engine.describe()
    machine_info["versions"] = {
        "numpy": numpy.__version__,
        "onnxruntime": onnxruntime.__version__,
        "torch": torch.__version__,
    }


@pytest.fixture(autouse=True, scope="session")
def _one_core() -> None:
    """Pin to the last allowed core: one thread, unless threads are the subject."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
