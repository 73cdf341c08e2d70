"""The commands bnas-train, -search, -export, -run and -inspect. No library code lives here."""

from __future__ import annotations

from bnas_deploy.cli._main import Parser, run_cli

__all__ = ["Parser", "run_cli"]
