"""A small network, and a table that covers it."""

from __future__ import annotations

import pytest
from support.made_up_latency import small_coverage, small_network, small_table


@pytest.fixture(scope="session")
def base():
    return small_network()


@pytest.fixture(scope="session")
def covers():
    return small_coverage()


@pytest.fixture(scope="session")
def table():
    return small_table()
