"""Pins the process to one core, offers `--quick`, and records what was measured where.

Rivals with OpenVINO are measured if it is installed; otherwise they are skipped visibly.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import machine
import pytest
import torch


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--quick",
        action="store_true",
        help="a few rounds, and single layers of BNAS-Mini and A only: to try the benchmarks out",
    )


def pytest_benchmark_update_machine_info(
    config: pytest.Config, machine_info: dict[str, Any]
) -> None:
    """Add what the ratios depend on."""
    machine_info.update(machine.facts())


@pytest.fixture(scope="session")
def quick(pytestconfig: pytest.Config) -> bool:
    """Whether to measure only so long that everything has run once."""
    return bool(pytestconfig.getoption("quick"))


@pytest.fixture(autouse=True, scope="module")
def cores() -> Iterator[None]:
    """Pin to the last allowed core. A module whose subject is threads overrides this."""
    torch.set_num_threads(1)
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    yield
    os.sched_setaffinity(0, allowed)
