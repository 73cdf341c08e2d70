"""bnas-search: search a cell from the command line. The work is done by `bnas_deploy.search`."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from bnas_deploy.cli._main import INTERRUPTED, require, run_cli
from bnas_deploy.cli._search_parser import search_parser
from bnas_deploy.errors import UsageError
from bnas_deploy.search.recipe import PRESETS, SearchRecipe

if TYPE_CHECKING:
    from bnas_deploy.search.loop import Searcher
    from bnas_deploy.training.data import ImageData

__all__ = [
    "CHECKPOINT",
    "main",
]

CHECKPOINT, PRODUCTS = "checkpoint.pt", ("search.json", "metrics.csv")
_CHANGEABLE = ("epochs", "lr")


def main(argv: Sequence[str] | None = None) -> int:
    """Run bnas-search and return its exit status: 0, 2 after a user's mistake, 130 if stopped."""
    return run_cli(_search, argv)


def _search(argv: Sequence[str] | None) -> int:
    args = search_parser().parse_args(argv)
    out = Path(args.out)
    _check_out(out, resume=args.resume)
    if args.resume:
        _check_resume(args)
    _check_numbers(args)
    require("train", "torch", "tqdm")
    if not args.no_pictures:
        # Asked for now, not when the search of hours is done.
        _require_matplotlib()
    # Imported late so that --help and mistakes in the arguments need not wait for torch.
    from bnas_deploy.cli._search_report import (  # noqa: PLC0415
        SearchReport,
        SearchReportOptions,
    )
    from bnas_deploy.cli._train_report import stop_on_signals  # noqa: PLC0415

    options = SearchReportOptions(
        checkpoint_minutes=args.checkpoint_minutes,
        pictures=not args.no_pictures,
        quiet=args.quiet,
    )
    searcher = _searcher(args, out)
    report = SearchReport(searcher, out, options)
    with stop_on_signals(searcher):
        finished = report.run()
    if not finished:
        print(f"stopped; go on with: {_again(args)}", file=sys.stderr)
        return INTERRUPTED
    print(json.dumps(report.summary()) if args.json else report.cells())
    return 0


def _searcher(args: argparse.Namespace, out: Path) -> Searcher:
    from bnas_deploy.search.checkpoint import load_search  # noqa: PLC0415 - as above
    from bnas_deploy.search.loop import GAMMAS  # noqa: PLC0415 - as above
    from bnas_deploy.search.start import fresh_searcher, read_images  # noqa: PLC0415 - as above
    from bnas_deploy.training.device import choose_runtime  # noqa: PLC0415 - as above
    from bnas_deploy.training.start import set_threads  # noqa: PLC0415 - as above

    set_threads(args.threads)
    runtime = choose_runtime(device=args.device, amp=args.amp, fused=args.fused)

    def read(recipe: SearchRecipe) -> ImageData:
        return read_images(args.data, recipe)

    given = _given(args)
    if args.resume:
        return load_search(out / CHECKPOINT, read, runtime, gammas=args.gamma, changes=given)
    recipe = SearchRecipe.from_dict(given, PRESETS[args.preset or "paper"])
    return fresh_searcher(
        read(recipe),
        recipe=recipe,
        runtime=runtime,
        seed=args.seed or 0,
        gammas=args.gamma or GAMMAS,
    )


def _again(args: argparse.Namespace) -> str:
    """The command that goes on in the same way; other arithmetic would change the numbers."""
    words = ["bnas-search", "--data", args.data, "--out", args.out, "--resume"]
    for name in ("device", "amp", "fused"):
        if getattr(args, name) != "auto":
            words += [f"--{name}", getattr(args, name)]
    return shlex.join(words)


def _check_out(out: Path, *, resume: bool) -> None:
    if out.exists() and not out.is_dir():
        msg = f"--out {out}: expected a folder, or a name that is still free; this is a file"
        raise UsageError(msg)
    exists = (out / CHECKPOINT).exists()
    if resume and not exists:
        msg = f"--resume: {out / CHECKPOINT} does not exist; leave --resume out to begin a search"
        raise UsageError(msg)
    if resume:
        return
    if exists:
        msg = f"{out} holds a search already; add --resume to go on with it or choose another --out"
        raise UsageError(msg)
    kept = [name for name in PRODUCTS if (out / name).exists()]
    kept += sorted(path.name for path in out.glob("genotype-gamma-*.json"))
    if kept:
        msg = f"{out} holds {' and '.join(kept)} already; choose another --out"
        raise UsageError(msg)


def _check_resume(args: argparse.Namespace) -> None:
    clash = [name for name in ("preset", "seed") if getattr(args, name) is not None]
    clash += [name for name in _given(args) if name not in _CHANGEABLE]
    if clash:
        options = ", ".join("--" + name.replace("_", "-") for name in clash)
        msg = f"--resume keeps the search's recipe, save --epochs and --lr; leave out {options}"
        raise UsageError(msg)


def _check_numbers(args: argparse.Namespace) -> None:
    if not args.checkpoint_minutes > 0:
        msg = f"--checkpoint-minutes: expected more than 0; got {args.checkpoint_minutes}"
        raise UsageError(msg)
    if not args.resume:
        SearchRecipe.from_dict(_given(args), PRESETS[args.preset or "paper"])
    for gamma in args.gamma or ():
        if not gamma > 0:
            msg = f"--gamma: expected numbers above 0 (inf: never keep Zeroise); got {gamma}"
            raise UsageError(msg)


def _require_matplotlib() -> None:
    try:
        require("plot", "matplotlib")
    except UsageError as error:
        msg = f"{error}, or leave the pictures out with --no-pictures"
        raise UsageError(msg) from error


def _given(args: argparse.Namespace) -> dict[str, float]:
    names = [field.name for field in fields(SearchRecipe)]
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}
