"""Writes the table of spellings and exporters (docs/spellings.md); takes some minutes.

PYTHONPATH=tests python -m support.spellings -o docs/spellings.md
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

import onnx
import onnxscript
import torch

from support.spellings import SPELLINGS, network
from support.spellings.exporting import EXPORTERS, Outcome, exported, outcome

HEAD = """# Spellings

How people write binary layers in PyTorch, and what `bnas-import` makes of them as either exporter
writes them: `torch.onnx.export` with `dynamo=False` (TorchScript, opset 17) and with `dynamo=True`
(torch.export).

Each spelling is two layers of a small network with a float stem without bias and a float
classifier. It counts as binary if both layers are. Every answer is compared with PyTorch's, on
noise, on pictures that are half black, and on whole numbers.
"""

FOOT = """
Other answers are those of the file: the newer exporter drops the additions of 1e-20 and of 1e-8, so
that zeros become something else.

Written by `make spellings` with PyTorch {torch}, onnx {onnx} and onnxscript {onnxscript}.
"""


def file_name(kind: str, name: str, exporter: str) -> str:
    """Of the model that is written."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", f"{kind[:3]} {name}").strip("-")
    return f"{plain}-{sha256(name.encode()).hexdigest()[:4]}-{exporter}.onnx"


KILLS = {("weight.data = weight.org.sign()", "torch.export")}
"""What ends the process that exports it, with PyTorch 2.13."""


def tried(kind: str, name: str, files: Path, exporter: str) -> Outcome | str:
    """What becomes of a layer; why PyTorch does not export it."""
    if (name, exporter) in KILLS:
        return "the process dies"
    layer, path = SPELLINGS[kind][name], files / file_name(kind, name, exporter)
    model = network(layer)
    if not path.exists():
        try:
            exported(model, path, exporter)
        except Exception as error:
            return str(error)
    return outcome(model, path)


def said(found: Outcome | str) -> str:
    """A cell of the table."""
    if isinstance(found, str):
        return "not exported"
    if found.refused:
        ops = dict.fromkeys(re.findall(r"^  .*? \((\w+)\): ", found.refused, re.MULTILINE))
        return f"refused: {', '.join(f'`{op}`' for op in ops)}"
    if not found.right:
        return f"**other answers** ({found.alike:.0%} alike)"
    extra = f", {len(found.floats)} float layers beside" if found.floats else ""
    return f"binary{extra}" if found.all_binary else "float"


def table(kind: str, files: Path) -> tuple[list[str], list[list[str]]]:
    """The lines of one kind, and its cells."""
    lines, cells = [f"\n## {kind.capitalize()}\n", f"| spelling | {' | '.join(EXPORTERS)} |"], []
    lines.append(f"| --- |{' --- |' * len(EXPORTERS)}")
    for name in SPELLINGS[kind]:
        own = [said(tried(kind, name, files, exporter)) for exporter in EXPORTERS]
        cells.append(own)
        shown = name.replace("|", "\\|")
        lines.append(f"| {shown} | {' | '.join(own)} |")
        sys.stderr.write(f"{lines[-1]}\n")
    return lines, cells


def counted(cells: list[list[str]]) -> str:
    """How many of all became what."""
    lines = ["", "| exporter | binary | float | refused | other answers | not exported |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for exporter, column in zip(EXPORTERS, zip(*cells, strict=True), strict=True):
        kinds = ("binary", "float", "refused", "**other", "not exported")
        numbers = [sum(cell.startswith(kind) for cell in column) for kind in kinds]
        lines.append(f"| {exporter} | {' | '.join(map(str, numbers))} |")
    return "\n".join([f"\n{len(cells)} spellings:", *lines])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/spellings.md"))
    parser.add_argument("--files", type=Path, help="models are written here, and taken from here")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    files = arguments.files or Path(tempfile.mkdtemp())
    lines, cells = [], []
    for kind in SPELLINGS:
        own, found = table(kind, files)
        lines += own
        cells += found
    versions = {m.__name__: m.__version__ for m in (torch, onnx, onnxscript)}
    text = "\n".join([HEAD + counted(cells), *lines, FOOT.format(**versions)])
    arguments.output.write_text(text)


if __name__ == "__main__":
    main()
