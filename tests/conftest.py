"""Shared by all tests: the header that says which backends can run; no fixtures."""

from __future__ import annotations

from bnas_deploy.engine import available


def pytest_report_header() -> list[str]:
    return [f"backend {name}: {reason or 'available'}" for name, reason in available().items()]
