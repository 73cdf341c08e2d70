"""`bnas-inspect`: show what a packed network contains, or how two of them differ.

The memory that the native engine needs is shown where that engine is built.

Exit status: 0; with ``--diff`` 1 if there is a difference; 2 after a mistake.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bnas_deploy import engine
from bnas_deploy.cli import Parser, run_cli
from bnas_deploy.cli.common.text import safe, tolerant_output, write_table
from bnas_deploy.cli.inspect.diff import show_diff
from bnas_deploy.cost.program import StepCost, cost_summary, program_cost
from bnas_deploy.errors import BackendError, UsageError
from bnas_deploy.format.program import PackedModel
from bnas_deploy.format.reader import read

__all__ = ["inspect_parser", "main"]

LABELS_SHOWN = 12

EPILOG = """\
examples:
  bnas-inspect model.bnn              input, labels, steps, cost, memory
  bnas-inspect model.bnn --steps      every step with its cost
  bnas-inspect model.bnn --json       everything as one JSON object
  bnas-inspect --diff old.bnn new.bnn
  bnas-inspect --diff dump-a dump-b   folders of bnas-run --dump-layers

Exit status: 0; with --diff, 1 if there is a difference; 2 after any mistake.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with the given arguments (None: those of the process)."""
    return run_cli(_run, argv)


def _run(argv: Sequence[str] | None) -> int:
    args = inspect_parser().parse_args(argv)
    tolerant_output()
    if args.diff:
        if args.model or args.steps:
            msg = "--diff goes with neither a model nor --steps"
            raise UsageError(msg)
        return show_diff(*args.diff, as_json=args.json)
    if not args.model:
        msg = "nothing to inspect; give MODEL.bnn, or --diff A B (see bnas-inspect --help)"
        raise UsageError(msg)
    if args.json and args.steps:
        msg = "--json has every step without --steps; leave that out"
        raise UsageError(msg)
    packed = read(args.model)
    if args.json:
        print(json.dumps(_report(Path(args.model), packed), indent=2))
    else:
        _write(Path(args.model), packed, steps=args.steps)
    return 0


def inspect_parser() -> Parser:
    """Return the parser."""
    parser = Parser(
        prog="bnas-inspect",
        description="Show what a packed network contains, or how two of them differ.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("model", nargs="?", metavar="MODEL.bnn", help="the packed network")
    add("--json", action="store_true", help="print one JSON object, steps included")
    add("--steps", action="store_true", help="also list every step")
    add(
        "--diff",
        nargs=2,
        metavar=("A", "B"),
        help="compare two packed networks (steps, wiring, tensors), or two folders of "
        "bnas-run --dump-layers (the first value that differs, and by how much)",
    )
    return parser


def _report(path: Path, packed: PackedModel) -> dict[str, Any]:
    program, p = packed.program, packed.preprocessing
    return {
        "file": str(path),
        "bytes": path.stat().st_size,
        "version": _version(path),
        "input": list(program.values[program.input].shape),
        "labels": list(packed.labels),
        "preprocessing": {
            "resize": p.resize,
            "crop": list(p.crop),
            "mean": list(p.mean),
            "std": list(p.std),
        },
        "totals": cost_summary(program, packed.tensors),
        "steps": [_step_record(cost, packed) for cost in program_cost(program, packed.tensors)],
        "provenance": dict(packed.provenance),
        "cost": dict(packed.cost),
        "engine": _engine_memory(packed),
    }


def _version(path: Path) -> str:
    """The file's version; `read` has checked the header before."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return str(header["__metadata__"]["bnas.version"])


def _step_record(cost: StepCost, packed: PackedModel) -> dict[str, Any]:
    kinds = [packed.program.values[name].kind for name in cost.outputs]
    return {
        "index": cost.index,
        "op": cost.op,
        "outputs": list(cost.outputs),
        "kinds": kinds,
        "shape": list(cost.shape),
        "bits": _row_bits(cost),
        "binary_macs": cost.binary_macs,
        "eight_bit_macs": cost.eight_bit_macs,
        "float_macs": cost.float_macs,
        "bytes": cost.bytes,
    }


def _row_bits(cost: StepCost) -> int | None:
    """Bits of one row of binary weights, or None."""
    channels, height, width = cost.shape
    return cost.binary_macs // (channels * height * width) if cost.binary_macs else None


def _engine_memory(packed: PackedModel) -> dict[str, Any]:
    try:
        runner = engine.create(packed, backend="native")
    except BackendError as error:
        return {"native": str(error)}
    memory = runner.memory()
    assert memory is not None  # the native backend plans it
    # With one thread; the size of the batch changes nothing.
    beside = {"beside the weights": memory["tables"] + memory["context"]}
    return {"native": "available", "isa": runner.isa, "memory": {**memory, **beside}}


def _write(path: Path, packed: PackedModel, *, steps: bool) -> None:
    report = _report(path, packed)
    print(f"{safe(report['file'])}: packed network, format {report['version']},", end=" ")
    print(f"{report['bytes']:,} bytes")
    _write_section("input", _input_lines(report))
    _write_section("labels", [_labels_line(packed.labels)])
    _write_section("steps", _op_lines(report))
    _write_section("totals", _total_lines(report))
    _write_section("provenance", _provenance_lines(report["provenance"]))
    _write_section("cost", _cost_lines(report))
    _write_section("engine", _flat(_grouped(report["engine"])))
    if steps:
        print()
        _write_steps(report["steps"])


def _write_section(title: str, lines: Sequence[tuple[str, str]]) -> None:
    if not lines:
        return
    print(f"\n{title}")
    width = max(len(key) for key, _ in lines)
    for key, value in lines:
        print(f"  {safe(key):{width}}  {safe(value)}".rstrip())


def _input_lines(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    p = report["preprocessing"]
    return [
        ("shape (C, H, W)", _shape(report["input"])),
        ("shorter side to", f"{p['resize']} pixels"),
        ("centre crop", f"{_shape(p['crop'])} pixels"),
        ("mean", ", ".join(f"{x:.4f}" for x in p["mean"])),
        ("std", ", ".join(f"{x:.4f}" for x in p["std"])),
    ]


def _labels_line(labels: Sequence[str]) -> tuple[str, str]:
    shown = ", ".join(labels[:LABELS_SHOWN])
    return f"{len(labels)} classes", shown + (", ..." if len(labels) > LABELS_SHOWN else "")


def _op_lines(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    ops = [step["op"] for step in report["steps"]]
    return [(op, str(ops.count(op))) for op in dict.fromkeys(ops)]


def _total_lines(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    totals = report["totals"]
    of_bytes = [f"{size:,} {kind}" for kind, size in totals["bytes"].items()]
    return [
        ("binary MACs", f"{totals['binary_macs']:,}"),
        ("8-bit MACs", f"{totals['eight_bit_macs']:,}"),
        ("float MACs", f"{totals['float_macs']:,}"),
        ("FLOPs", f"{totals['flops']:,.0f} (64 binary MACs count as one, and 8 of 8 bits)"),
        ("bytes of tensors", f"{sum(totals['bytes'].values()):,} ({', '.join(of_bytes)})"),
    ]


def _provenance_lines(provenance: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Where it came from; what the export did is long and repeats the totals above."""
    shown = {key: value for key, value in provenance.items() if key != "report"}
    network = shown.get("network")
    if isinstance(network, Mapping) and "genotype" in shown:  # there once more, as text
        shown["network"] = {key: value for key, value in network.items() if key != "genotype"}
    lines = _flat(shown)
    if "report" in provenance:
        lines.append(("report", "what the export did: see --json"))
    return lines


def _cost_lines(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the export counted, without what the totals above say already."""
    known = report["totals"]
    new = {k: v for k, v in report["cost"].items() if k not in known or v != known[k]}
    return _flat(_grouped(new))


def _grouped(value: Any) -> Any:  # noqa: ANN401
    """Nested JSON with its counts as text with thousands separators."""
    if isinstance(value, Mapping):
        return {key: _grouped(inner) for key, inner in value.items()}
    return f"{value:,.0f}" if isinstance(value, int | float) else value


def _flat(value: object, prefix: str = "") -> list[tuple[str, str]]:
    """Nested JSON as (dotted key, text) lines."""
    if isinstance(value, Mapping) and value:
        return [
            line
            for key, inner in value.items()
            for line in _flat(inner, f"{prefix}.{key}" if prefix else str(key))
        ]
    if not prefix:
        return []
    text = value.replace("\n", "; ") if isinstance(value, str) else json.dumps(value)
    return [(prefix, text)]


def _write_steps(steps: Sequence[Mapping[str, Any]]) -> None:
    header = (
        "step",
        "op",
        "result",
        "kind",
        "bits/row",
        "binary MACs",
        "8-bit MACs",
        "float MACs",
        "bytes",
    )
    rows = (
        (
            step["index"],
            step["op"],
            _shape(step["shape"]),
            "+".join(step["kinds"]),
            step["bits"] or "-",
            *(
                f"{step[key]:,}" if step[key] else "-"
                for key in ("binary_macs", "eight_bit_macs", "float_macs", "bytes")
            ),
        )
        for step in steps
    )
    write_table(header, rows)


def _shape(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))
