"""`bnas-latency`: measure a latency table, predict from it, and choose outlines with it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bnas_deploy.cli.common.entry import require, run_cli
from bnas_deploy.cli.common.text import write_table as print_table
from bnas_deploy.cli.latency.networks import cells_of, packed_network
from bnas_deploy.cli.latency.parser import latency_parser
from bnas_deploy.errors import UsageError
from bnas_deploy.latency.table import Coverage, read_table, write_table
from bnas_deploy.networks.files import write_config
from bnas_deploy.search.space import build_space

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run bnas-latency and return its exit status: 0, 2 after a user's mistake, 130 if stopped."""
    return run_cli(_latency, argv)


def _latency(argv: Sequence[str] | None) -> int:
    args = latency_parser().parse_args(argv)
    return {"measure": _measure, "predict": _predict, "choose": _choose}[args.command](args)


def _measure(args: argparse.Namespace) -> int:
    base = cells_of(args.network, None)
    covers = Coverage(
        primitives=build_space(separable=args.separable),
        widths=tuple(sorted(set(args.widths))),
        image_size=base.image_size,
        dataset=base.dataset,
        shortcuts=tuple(dict.fromkeys(args.shortcuts)),
        stems=tuple(dict.fromkeys(args.stems or [base.stem])),
        eight_bit=tuple(dict.fromkeys(args.eight_bit)),
    )
    require("train", "torch")
    # Imported late so that --help and mistakes in the arguments need not wait for torch.
    from bnas_deploy.latency.measure import measure_table  # noqa: PLC0415

    table = measure_table(base, covers, rounds=args.rounds, tell=_teller(quiet=args.quiet))
    write_table(args.table, table)
    if args.json:
        facts = table.to_dict()
        print(json.dumps({**facts, "steps": len(table.steps), "file": args.table}))
        return 0
    most, median = table.agreement["nine_in_ten"], table.agreement["median"]
    print(f"{args.table}: {len(table.steps):,} kinds of steps on {_machine(table.machine)}")
    print(f"its own networks are {median:.1%} off in the median, nine in ten within {most:.1%}")
    return 0


def _teller(*, quiet: bool) -> Callable[[str, int, int], None]:
    last = [""]

    def tell(what: str, done: int, of: int) -> None:
        if not quiet and what != last[0]:
            print(f"{what} ({of})", file=sys.stderr)
            last[0] = what

    return tell


def _machine(facts: Mapping[str, str]) -> str:
    return f"{facts['cpu']}, {facts['isa']}, bnas-deploy {facts['bnas_deploy']}"


def _predict(args: argparse.Namespace) -> int:
    table = read_table(args.table)
    from bnas_deploy.latency.predict import predict  # noqa: PLC0415 - see above

    models = [packed_network(n, args.genotype, table) for n in args.networks]
    found = [{"network": name, **asdict(predict(table, model))}
             for name, model in zip(args.networks, models, strict=True)]  # fmt: skip
    if args.measure:
        from bnas_deploy.latency.clock import measure_in_turns  # noqa: PLC0415 - as above

        for row, times in zip(found, measure_in_turns(models, rounds=ROUNDS), strict=True):
            row["measured_seconds"] = times.run
    if args.json:
        print(json.dumps({"table": args.table, "machine": dict(table.machine), "networks": found}))
        return 0
    print(f"one image on one thread, {_machine(table.machine)}")
    measured = ("measured ms", "off") if args.measure else ()
    print_table(("network", "ms", "interpolated", *measured, "most of it"), map(_row, found))
    return 0


ROUNDS = 15


def _row(found: Mapping[str, Any]) -> list[object]:
    seconds = found["seconds"]
    share = found["interpolated_seconds"] / seconds
    most = [f"{kind} {s / seconds:.0%}" for kind, s in list(found["by_work"].items())[:3]]
    cells = [found["network"], f"{1e3 * seconds:.3f}", f"{share:.0%}"]
    if "measured_seconds" in found:
        run = found["measured_seconds"]
        cells += [f"{1e3 * run:.3f}", f"{seconds / run - 1:+.1%}"]
    return [*cells, ", ".join(most)]


def _choose(args: argparse.Namespace) -> int:
    if not args.target_ms > 0:
        msg = f"--target-ms: expected more than 0; got {args.target_ms}"
        raise UsageError(msg)
    table = read_table(args.table)
    require("train", "torch")
    from bnas_deploy.latency.outline import OutlineSpace, choose_outlines  # noqa: PLC0415

    space = OutlineSpace(
        layers=tuple(sorted(set(args.layers))),
        widths=tuple(sorted(set(args.widths or table.covers.widths))),
        stems=tuple(args.stems or table.covers.stems),
        shortcuts=tuple(args.shortcuts or table.covers.shortcuts),
        early=not args.no_early,
    )
    base = cells_of(args.network, args.genotype)
    outlines = choose_outlines(
        table, base, space,
        target_seconds=args.target_ms / 1e3, count=args.count, tries=args.tries,
    )  # fmt: skip
    if args.out:
        write_config(args.out, outlines[0].config)
    if args.json:
        found = [{**asdict(o), "config": o.config.to_dict()} for o in outlines]
        print(json.dumps({"table": args.table, "outlines": found, "file": args.out}))
        return 0
    rows = [
        (
            f"{1e3 * o.seconds:.3f}", f"{o.binary_macs / 1e6:.1f} M", o.config.layers,
            ",".join(map(str, o.config.stage_widths)), ",".join(map(str, o.config.reductions)),
            o.config.stem, o.config.shortcut,
        )
        for o in outlines
    ]  # fmt: skip
    header = ("ms", "binary MACs", "cells", "widths", "reduce at", "stem", "shortcut")
    print("most binary work within the time; which is most accurate, only training shows")
    print_table(header, rows)
    return 0
