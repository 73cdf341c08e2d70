"""bnas-train: train a network from the command line. The work is done by `bnas_deploy.training`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from bnas_deploy.cli._main import INTERRUPTED, Parser, run_cli
from bnas_deploy.errors import UsageError
from bnas_deploy.nn.config import CONFIGS, NetworkConfig, get_config
from bnas_deploy.nn.genotype import GENOTYPES, Genotype, get_genotype
from bnas_deploy.training.recipe import RECIPES, SCHEDULES, Recipe, read_recipe

if TYPE_CHECKING:
    from bnas_deploy.training.loop import Trainer

__all__ = [
    "CHECKPOINT",
    "main",
]

CHECKPOINT = "checkpoint.pt"

_EXAMPLES = """\
examples:
  Train BNAS-Mini as the paper does (600 epochs; wants a GPU):
    bnas-train --data cifar-10-python.tar.gz --config Mini --out runs/mini

  A short run on a CPU, without drop-path:
    bnas-train --data cifar10.tar.xz --config Mini --epochs 20 --batch 128 --lr 0.08 \\
               --drop-path 0 --out runs/mini-short

  Go on after an interruption (Ctrl-C is safe at any time):
    bnas-train --data cifar10.tar.xz --out runs/mini-short --resume

  A cell of your own, and settings from a file:
    bnas-train --data photos/ --config A --genotype cell.json --recipe recipe.toml --out runs/a

The run's folder gets model.pt (the product: give it to bnas-export), checkpoint.pt (to resume) and
metrics.csv. Data is a folder train|val|test/<class>/<image>, a tar of one, or CIFAR-10 as
published.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run bnas-train and return its exit status: 0, 2 after a user's mistake, 130 if stopped."""
    return run_cli(_train, argv)


def _train(argv: Sequence[str] | None) -> int:
    args = _parser().parse_args(argv)
    out = Path(args.out)
    _check_out(out, resume=args.resume)
    # Imported late so that --help and mistakes in the arguments need not wait for torch.
    from bnas_deploy.cli._train_report import (  # noqa: PLC0415
        Report,
        ReportOptions,
        stop_on_signals,
    )

    options = ReportOptions(
        dataset=args.dataset_name,
        checkpoint_minutes=args.checkpoint_minutes,
        csv=args.log == "csv",
        tensorboard=args.tensorboard,
        quiet=args.quiet,
    )
    trainer = _trainer(args, out)
    report = Report(trainer, out, options)
    with stop_on_signals(trainer):
        finished = report.run()
    if not finished:
        again = f"bnas-train --data {args.data} --out {out} --resume"
        print(f"stopped; go on with: {again}", file=sys.stderr)
        return INTERRUPTED
    if args.json:
        print(json.dumps(report.summary()))
    return 0


def _trainer(args: argparse.Namespace, out: Path) -> Trainer:
    from bnas_deploy.training import start  # noqa: PLC0415 - as above
    from bnas_deploy.training.device import choose_runtime  # noqa: PLC0415

    start.set_threads(args.threads)
    runtime = choose_runtime(device=args.device, amp=args.amp, fused=args.fused)
    if args.resume:
        _check_resume(args)
        checkpoint = out / CHECKPOINT
        return start.resumed_trainer(checkpoint, args.data, runtime=runtime, epochs=args.epochs)
    config = _network_config(args)
    return start.fresh_trainer(
        config,
        args.data,
        recipe=_recipe(args, config.dataset),
        runtime=runtime,
        binary=not args.float,
        seed=args.seed,
    )


def _parser() -> Parser:
    parser = Parser(
        prog="bnas-train",
        description="Train a binary network of the BNAS family.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_what(parser)
    _add_recipe(parser)
    _add_machine(parser)
    _add_output(parser)
    return parser


def _add_what(parser: Parser) -> None:
    group = parser.add_argument_group("what to train")
    group.add_argument("--data", required=True, metavar="PATH", help="the images (see below)")
    group.add_argument(
        "--dataset-name", metavar="TEXT", help="what model.pt calls the data (default: file name)"
    )
    group.add_argument(
        "--config", default="Mini", help=f"network: {', '.join(CONFIGS)} (default: Mini)"
    )
    group.add_argument(
        "--genotype",
        metavar="NAME|FILE",
        help=f"cells: {', '.join(GENOTYPES)}, or a .json file (default: the network's own)",
    )
    group.add_argument("--channels", type=int, help="channels of a node in place of the network's")
    group.add_argument("--layers", type=int, help="number of cells in place of the network's")
    group.add_argument(
        "--image-size", type=int, metavar="PIXELS", help="resize to it (default: the network's)"
    )
    group.add_argument(
        "--float", action="store_true", help="train the float counterpart: nothing binarized"
    )


def _add_recipe(parser: Parser) -> None:
    group = parser.add_argument_group(
        "recipe", "the paper's, changed by --recipe and then by these options"
    )
    group.add_argument("--recipe", metavar="FILE", help="TOML or JSON file of these settings")
    for field in fields(Recipe):
        option = "--" + field.name.replace("_", "-")
        text = f"default {field.default}"
        if field.type == "bool":
            group.add_argument(
                option, action=argparse.BooleanOptionalAction, default=None, help=text
            )
        elif field.name == "schedule":
            group.add_argument(option, choices=SCHEDULES, help=text)
        else:
            kind = int if field.type == "int" else float
            group.add_argument(option, type=kind, metavar="N", help=text)


def _add_machine(parser: Parser) -> None:
    group = parser.add_argument_group("machine")
    group.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    group.add_argument(
        "--amp",
        default="auto",
        choices=("auto", "off", "bf16"),
        help="bfloat16 convolutions; auto: where the hardware has them",
    )
    group.add_argument(
        "--fused",
        default="auto",
        choices=("auto", "on", "off"),
        help="fused BatchNorm and sign on a CPU in bfloat16 (needs numba)",
    )
    group.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: all cores)")
    group.add_argument("--seed", type=int, default=0)


def _add_output(parser: Parser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument("--out", required=True, metavar="DIR", help="the run's folder")
    group.add_argument("--resume", action="store_true", help="go on with the run in --out")
    group.add_argument(
        "--checkpoint-minutes",
        type=float,
        default=10.0,
        metavar="N",
        help="also save within an epoch after N minutes (default 10)",
    )
    group.add_argument("--log", default="csv", choices=("csv", "none"), help="default csv")
    group.add_argument("--tensorboard", action="store_true", help="also write TensorBoard events")
    group.add_argument("--quiet", action="store_true", help="no progress bar")
    group.add_argument("--json", action="store_true", help="print the final summary as JSON")


def _check_out(out: Path, *, resume: bool) -> None:
    exists = (out / CHECKPOINT).exists()
    if resume and not exists:
        msg = f"--resume: {out / CHECKPOINT} does not exist; leave --resume out to begin a run"
        raise UsageError(msg)
    if exists and not resume:
        msg = f"{out} holds a run already; add --resume to go on with it or choose another --out"
        raise UsageError(msg)


def _check_resume(args: argparse.Namespace) -> None:
    given = {**_recipe_options(args), "recipe": args.recipe, "genotype": args.genotype}
    clash = [name for name, value in given.items() if value is not None and name != "epochs"]
    if clash:
        options = ", ".join("--" + name.replace("_", "-") for name in clash)
        msg = f"--resume keeps the run's own recipe, save --epochs; leave out {options}"
        raise UsageError(msg)


def _network_config(args: argparse.Namespace) -> NetworkConfig:
    value = get_config(args.config).to_dict()
    if args.genotype is not None:
        value["genotype"] = _genotype(args.genotype).to_dict()
    for key in ("channels", "layers", "image_size"):
        if getattr(args, key) is not None:
            value[key] = getattr(args, key)
    return NetworkConfig.from_dict(value)


def _genotype(name: str) -> Genotype:
    if not name.endswith(".json"):
        return get_genotype(name)
    try:
        return Genotype.from_json(Path(name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        msg = f"--genotype {name}: cannot be read ({error})"
        raise UsageError(msg) from error


def _recipe(args: argparse.Namespace, dataset: str) -> Recipe:
    recipe = RECIPES[dataset]
    if args.recipe is not None:
        recipe = read_recipe(args.recipe, recipe)
    return Recipe.from_dict(_recipe_options(args), recipe)


def _recipe_options(args: argparse.Namespace) -> dict[str, object]:
    names = [field.name for field in fields(Recipe)]
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}
