"""`bnas-search`: search a cell from the command line."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bnas_deploy.cli.common.entry import INTERRUPTED, require, run_cli
from bnas_deploy.cli.common.run_folder import check_minutes, check_out
from bnas_deploy.cli.common.settings_options import given
from bnas_deploy.cli.common.stopping import stop_on_signals
from bnas_deploy.cli.search.parser import search_parser
from bnas_deploy.errors import UsageError
from bnas_deploy.networks.files import named_config
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.search.recipe import PRESETS, SearchRecipe
from bnas_deploy.training.record.run_files import CHECKPOINT

if TYPE_CHECKING:
    from bnas_deploy.search.loop import Searcher
    from bnas_deploy.search.timing import Timing
    from bnas_deploy.training.data.images import ImageData

__all__ = ["main"]

PRODUCTS = ("search.json", "metrics.csv", "genotype-gamma-*.json")
_CHANGEABLE = ("epochs", "lr")


def main(argv: Sequence[str] | None = None) -> int:
    """Run bnas-search and return its exit status: 0, 2 after a user's mistake, 130 if stopped."""
    return run_cli(_search, argv)


def _search(argv: Sequence[str] | None) -> int:
    args = search_parser().parse_args(argv)
    out = Path(args.out)
    check_out(out, PRODUCTS, resume=args.resume, what="search")
    if args.resume:
        _check_resume(args)
    _check_numbers(args)
    require("train", "torch", "tqdm")
    if not args.no_pictures:
        # Asked for now, not when the search of hours is done.
        _require_matplotlib()
    # Imported late so that --help and mistakes in the arguments need not wait for torch.
    from bnas_deploy.cli.search.display import (  # noqa: PLC0415
        SearchDisplay,
        SearchDisplayOptions,
    )

    options = SearchDisplayOptions(
        checkpoint_minutes=args.checkpoint_minutes,
        pictures=not args.no_pictures,
        quiet=args.quiet,
    )
    searcher = _searcher(args, out)
    display = SearchDisplay(searcher, out, options)
    with stop_on_signals(searcher):
        finished = display.run()
    if not finished:
        print(f"stopped; go on with: {_again(args)}", file=sys.stderr)
        return INTERRUPTED
    print(json.dumps(display.summary()) if args.json else display.cells())
    return 0


def _searcher(args: argparse.Namespace, out: Path) -> Searcher:
    from bnas_deploy.search.checkpoint import load_search  # noqa: PLC0415 - as above
    from bnas_deploy.search.loop import GAMMAS  # noqa: PLC0415 - as above
    from bnas_deploy.search.start import fresh_searcher, read_images  # noqa: PLC0415 - as above
    from bnas_deploy.training.machine.device import choose_runtime  # noqa: PLC0415 - as above
    from bnas_deploy.training.run.start import set_threads  # noqa: PLC0415 - as above

    set_threads(args.threads)
    runtime = choose_runtime(device=args.device, amp=args.amp, fused=args.fused)

    def read(recipe: SearchRecipe) -> ImageData:
        return read_images(args.data, recipe)

    settings = given(args, SearchRecipe)
    if args.resume:
        return load_search(out / CHECKPOINT, read, runtime, gammas=args.gamma, changes=settings)
    recipe = SearchRecipe.from_dict(settings, PRESETS[args.preset or "paper"])
    gammas = args.gamma or GAMMAS
    timing = _timing(args, recipe, gammas)
    return fresh_searcher(
        read(recipe),
        recipe=recipe,
        runtime=runtime,
        seed=args.seed or 0,
        gammas=gammas,
        timing=timing,
    )


def _timing(
    args: argparse.Namespace, recipe: SearchRecipe, gammas: Sequence[float]
) -> Timing | None:
    if args.latency is None:
        return None
    from bnas_deploy.latency import table  # noqa: PLC0415 - as above
    from bnas_deploy.search import timing  # noqa: PLC0415 - as above

    config = named_config(args.network or "Mini")
    if not isinstance(config, NetworkConfig):
        msg = f"--network {args.network}: a search is for networks of cells, and this has none"
        raise UsageError(msg)
    found = timing.Timing(table.read_table(args.latency), config, recipe)
    found.check_possible(gammas)
    return found


def _again(args: argparse.Namespace) -> str:
    """The command that goes on in the same way; other arithmetic would change the numbers."""
    words = ["bnas-search", "--data", args.data, "--out", args.out, "--resume"]
    for name in ("device", "amp", "fused"):
        if getattr(args, name) != "auto":
            words += [f"--{name}", getattr(args, name)]
    return shlex.join(words)


def _check_resume(args: argparse.Namespace) -> None:
    names = ("preset", "seed", "latency", "network")
    clash = [name for name in names if getattr(args, name) is not None]
    clash += [name for name in given(args, SearchRecipe) if name not in _CHANGEABLE]
    if clash:
        options = ", ".join("--" + name.replace("_", "-") for name in clash)
        msg = f"--resume keeps the search's recipe, save --epochs and --lr; leave out {options}"
        raise UsageError(msg)


def _check_numbers(args: argparse.Namespace) -> None:
    check_minutes(args.checkpoint_minutes)
    if not args.resume:
        settings = given(args, SearchRecipe)
        recipe = SearchRecipe.from_dict(settings, PRESETS[args.preset or "paper"])
        if args.tau is not None and not recipe.diversity:
            msg = "--tau is of the diversity regulariser, and --diversity 0 leaves that out"
            raise UsageError(msg)
        _check_latency(args, recipe)
        if args.gamma and not recipe.zeroise:
            msg = "--gamma is about Zeroise, and --no-zeroise leaves that out"
            raise UsageError(msg)
    for gamma in args.gamma or ():
        if not gamma > 0:
            msg = f"--gamma: expected numbers above 0 (inf: never keep Zeroise); got {gamma}"
            raise UsageError(msg)


def _check_latency(args: argparse.Namespace, recipe: SearchRecipe) -> None:
    counts = recipe.latency_weight or recipe.target_ms
    if args.latency is None:
        for option in ("network", "latency_weight", "target_ms"):
            if getattr(args, option) is not None:
                name = "--" + option.replace("_", "-")
                msg = f"{name} is about the time in a table; add --latency TABLE"
                raise UsageError(msg)
    elif not counts:
        msg = "--latency: say how much the time counts, by --latency-weight L or --target-ms T"
        raise UsageError(msg)


def _require_matplotlib() -> None:
    try:
        require("plot", "matplotlib")
    except UsageError as error:
        msg = f"{error}, or leave the pictures out with --no-pictures"
        raise UsageError(msg) from error
