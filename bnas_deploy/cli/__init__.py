"""The commands: `bnas`, which lists the others, and a folder for each of them."""

from __future__ import annotations

from bnas_deploy.cli.common.entry import Parser, positive, require, run_cli

__all__ = ["Parser", "positive", "require", "run_cli"]
