"""The header of a test run: which backends are available."""

from __future__ import annotations

from bnas_deploy.engine import available


def pytest_report_header() -> list[str]:
    return [f"backend {name}: {reason or 'available'}" for name, reason in available().items()]
