"""What bnas-export and bnas-import print about what they have written."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bnas_deploy.cli.common.text import safe

if TYPE_CHECKING:
    from bnas_deploy.converters.packing.compare import SelfCheck
    from bnas_deploy.converters.packing.report import Report
    from bnas_deploy.errors import BnasError

__all__ = ["show_error", "show_onnx", "show_report"]


def show_report(report: Report, output: Path, source_bytes: int, *, as_json: bool) -> None:
    """Print what an export did, and its warnings on the standard error output.

    Args:
        report: Of the export.
        output: The packed file.
        source_bytes: Of the model's file, with all that belongs to it.
        as_json: Whether to print JSON.
    """
    from bnas_deploy.converters.packing.report_text import report_lines  # noqa: PLC0415

    record = {"source_file_bytes": source_bytes, **report.to_dict()}
    _show(output, report_lines(report), record, as_json=as_json)
    sys.stdout.flush()
    for warning in report.warnings:
        print(f"warning [{warning.code}]: {safe(warning.text)}", file=sys.stderr)


def show_error(error: BnasError) -> None:
    """Print why nothing was written, as JSON."""
    from bnas_deploy.converters.packing.failure import failure_record  # noqa: PLC0415

    print(json.dumps({"output": None, "error": failure_record(error)}, indent=2))


def show_onnx(check: SelfCheck | None, output: Path, *, as_json: bool) -> None:
    """Print how an ONNX file was checked."""
    from bnas_deploy.converters.packing.report_text import check_lines  # noqa: PLC0415

    record = {"self_check": None if check is None else asdict(check)}
    _show(output, check_lines(check), record, as_json=as_json)


def _show(output: Path, lines: list[str], record: dict[str, Any], *, as_json: bool) -> None:
    size = output.stat().st_size
    if as_json:
        print(json.dumps({"output": str(output), "file_bytes": size, **record}, indent=2))
        return
    print("\n".join(map(safe, lines)))
    print(f"wrote {safe(str(output))} ({size:,} bytes)")
