"""Calls bnas-run on model.bnn, and checks what an error looks like."""

from __future__ import annotations

from bnas_deploy.cli.run.command import main


def run(*arguments: str) -> int:
    """Call bnas-run with model.bnn of the current folder."""
    return main(["--packed", "model.bnn", *arguments])


def one_error_line(text: str) -> str:
    """Check that text is one line that tells an error."""
    assert text.startswith("error: ")
    assert text.count("\n") == 1
    assert "Traceback" not in text
    return text
