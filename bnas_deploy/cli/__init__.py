"""The commands: bnas-train, -search, -export, -import, -run, -inspect and -report."""

from __future__ import annotations

from bnas_deploy.cli.common.entry import Parser, positive, require, run_cli

__all__ = ["Parser", "positive", "require", "run_cli"]
