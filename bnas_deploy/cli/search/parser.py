"""The options of bnas-search and their help."""

from __future__ import annotations

import argparse

from bnas_deploy.cli.common.entry import Parser
from bnas_deploy.cli.common.machine_options import add_machine, add_threads_and_seed
from bnas_deploy.cli.common.settings_options import add_settings
from bnas_deploy.search.recipe import PRESETS, SearchRecipe

__all__ = ["RECIPE_HELP", "search_parser"]

RECIPE_HELP = {
    "cells": "cells of the supernet",
    "channels": "channels of a node in its first cells",
    "image_size": "pixels; images of another size are resized",
    "images": "number of training images to use, spread evenly; 0: all",
    "epochs": "passes over half the training images",
    "batch": "images of a weight step, and of an architecture step",
    "lr": "learning rate of the weights at the start",
    "min_lr": "learning rate at the end of its cosine",
    "momentum": "momentum of SGD on the weights",
    "weight_decay": "weight decay on the weights",
    "arch_lr": "learning rate of Adam on the architecture parameters",
    "arch_weight_decay": "weight decay on the architecture parameters",
    "diversity": "lambda of the diversity regulariser; 0: no regulariser",
    "tau": "epochs after which the regulariser has fallen to 1/e",
    "latency_weight": "weight of the expected time beside Eq. 6, with --latency; with --target-ms"
    " the weight at the start, which then adapts",
    "target_ms": "milliseconds that the network found may take at most, with --latency; 0: any",
    "crop_padding": "pixels of zero padding for random crops; 0: no crops",
    "flip": "mirror half the images",
    "zeroise": "keep Zeroise in the space",
    "dilated": "keep the dilated convolutions in the space",
    "separable": "add separable convolutions to the space",
    "skip": "inter-cell skip connections",
}
"""One line for each field of `SearchRecipe`."""

_EXAMPLES = """\
examples:
  Search as the paper does (50 epochs; for a GPU):
    bnas-search --data cifar-10-python.tar.gz --out runs/search

  Check in minutes on a CPU that everything works:
    bnas-search --data cifar10.tar.xz --preset smoke --out runs/smoke

  Continue after an interruption (Ctrl-C is safe at any time):
    bnas-search --data cifar10.tar.xz --out runs/search --resume

  Train what was found:
    bnas-train --data cifar10.tar.xz --out runs/a \\
               --genotype runs/search/genotype-gamma-1.json

  The paper's ablations:
    bnas-search --data cifar10.tar.xz --diversity 0 --out runs/no-diversity
    bnas-search --data cifar10.tar.xz --no-zeroise --out runs/no-zeroise
    bnas-search --data cifar10.tar.xz --no-dilated --out runs/no-dilated
    bnas-search --data cifar10.tar.xz --separable --out runs/separable

  With the time on a machine (bnas-latency measures the table) in the objective:
    bnas-search --data cifar10.tar.xz --latency zen4.json --network Mini \
                --target-ms 0.20 --out runs/fast

The folder of a search gets genotype-gamma-*.json (for bnas-train --genotype),
a drawing of the cells of each, curves.png, metrics.csv, search.json (all of
these as numbers) and checkpoint.pt (to resume). Data is a folder
train|val|test/<class>/<image>, a tar of one, or CIFAR-10 as published; images
for testing are not used.
"""


def search_parser() -> Parser:
    """Return the parser; options of the recipe that were not given are None."""
    parser = Parser(
        prog="bnas-search",
        description="Search the cells of a binary network, as in Section 4 of the paper.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    group = parser.add_argument_group("what to search")
    group.add_argument("--data", required=True, metavar="PATH", help="the images (see below)")
    group.add_argument(
        "--gamma",
        type=float,
        nargs="+",
        metavar="G",
        help="divide Zeroise's probability by this in the selection (Eq. 5); each value gives its"
        " own cells; inf: never keep Zeroise (default: 1 3, the paper's for CIFAR-10 and ImageNet)",
    )
    group.add_argument(
        "--latency",
        metavar="TABLE",
        help="a table of bnas-latency measure: the expected time on its machine counts, by"
        " --latency-weight or --target-ms",
    )
    group.add_argument(
        "--network",
        metavar="NAME|FILE",
        help="the network whose time counts, with --latency: a published one, or a configuration,"
        " such as bnas-latency choose writes (default: Mini)",
    )
    _add_recipe(parser)
    _add_machine(parser)
    _add_output(parser)
    return parser


def _add_recipe(parser: Parser) -> None:
    group = parser.add_argument_group(
        "recipe", "a preset, changed by these options; the defaults are the paper's"
    )
    group.add_argument(
        "--preset", choices=tuple(PRESETS), help="where the settings start from (default: paper)"
    )
    add_settings(group, SearchRecipe, RECIPE_HELP, {})


def _add_machine(parser: Parser) -> None:
    group = parser.add_argument_group("machine")
    add_machine(group)
    add_threads_and_seed(group)


def _add_output(parser: Parser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument("--out", required=True, metavar="DIR", help="folder of the search")
    group.add_argument(
        "--resume",
        action="store_true",
        help="continue the search in --out with its recipe, except for --epochs and --lr; with a"
        " new --gamma, a finished search gives further cells",
    )
    group.add_argument(
        "--checkpoint-minutes",
        type=float,
        default=10.0,
        metavar="N",
        help="also save within an epoch after N minutes (default 10)",
    )
    group.add_argument("--no-pictures", action="store_true", help="draw no curves and no cells")
    group.add_argument("--quiet", action="store_true", help="no progress bar")
    group.add_argument("--json", action="store_true", help="print the result as JSON")
