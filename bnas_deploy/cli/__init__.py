"""The commands: bnas-train, bnas-search, bnas-export, bnas-run, bnas-inspect; no library code lives here."""

from __future__ import annotations

from bnas_deploy.cli._main import Parser, run_cli

__all__ = ["Parser", "run_cli"]
