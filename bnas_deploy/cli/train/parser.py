"""The options of bnas-train and their help."""

from __future__ import annotations

import argparse

from bnas_deploy.cli.common.entry import Parser, positive
from bnas_deploy.cli.common.machine_options import add_machine, add_threads_and_seed
from bnas_deploy.cli.common.settings_options import add_settings
from bnas_deploy.cli.train.network_options import add_network
from bnas_deploy.cli.train.recipe_help import RECIPE_HELP
from bnas_deploy.training.recipes.presets import PRESETS
from bnas_deploy.training.recipes.recipe import CHANGEABLE, CHOICES, Recipe

__all__ = ["train_parser"]

_EXAMPLES = """\
examples:
  Train BNAS-Mini as the paper does (600 epochs; for a GPU):
    bnas-train --data cifar-10-python.tar.gz --config Mini --out runs/mini

  A short run on a CPU, without drop-path:
    bnas-train --data cifar10.tar.xz --config Mini --epochs 20 --batch 128 \\
               --lr 0.08 --drop-path 0 --out runs/mini-short

  Continue after an interruption (Ctrl-C is safe at any time):
    bnas-train --data cifar10.tar.xz --out runs/mini-short --resume

  A cell of your own, and settings from a file:
    bnas-train --data photos/ --config A --genotype cell.json \\
               --recipe recipe.toml --out runs/a

  Your own classes, beginning with a trained network:
    bnas-train --data photos/ --config Mini --shortcut pool1x1 --init models/bnas-mini.pt \\
               --preset small-data --out runs/photos

  With a teacher: a float network first, then a binary one that learns from it:
    bnas-train --data cifar10.tar.xz --config bireal18 --float --out runs/teacher
    bnas-train --data cifar10.tar.xz --config Mini --teacher runs/teacher/model.pt --out runs/mini

  BNAS-A without the two convolutions that take most of its bytes and time:
    bnas-train --data cifar10.tar.xz --config A --shortcut pool --out runs/pool

  A network of another family, of half the width:
    bnas-train --data cifar10.tar.xz --config bireal18 --channels 32 --out runs/thin

  Two processes that share every batch (one process per GPU):
    torchrun --nproc-per-node 2 --no-python \\
             bnas-train --data cifar10.tar.xz --out runs/mini

  ImageNet, read from disk while training:
    bnas-train --data imagenet/ --config D --accumulate 4 --workers 16 \\
               --out runs/d

The run's folder gets model.pt (give it to bnas-export), checkpoint.pt (to resume) and
metrics.csv. Data is a folder <class>/<image> or train|val|test/<class>/<image>, a tar of one, or
CIFAR-10 as published. With images for validation (val, or held out) model.pt is the best epoch by
them, without the last one.
"""


def train_parser() -> Parser:
    """Return the parser; options that were not given are None or False where it matters."""
    parser = Parser(
        prog="bnas-train",
        description="Train a binary network of the BNAS family, or one that it is compared with.",
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
    add_network(group)
    group.add_argument(
        "--init",
        metavar="MODEL",
        help="begin with the weights of this model.pt, or of anybody's checkpoint, wherever name"
        " and shape fit (other classes, shortcuts or images are welcome); says which layers begin"
        " anew (default: random weights)",
    )
    group.add_argument(
        "--entry",
        metavar="NAME",
        help="with --init: which entry of a checkpoint holds the weights, such as state_dict_ema"
        " (default: the only one that does)",
    )
    group.add_argument(
        "--teacher",
        metavar="MODEL",
        help="learn from the answers of this model.pt, too, which bnas-train made from data of the"
        " same classes, with --float or without; see --distill; with --resume: where it is now",
    )
    group.add_argument(
        "--float", action="store_true", help="train the float counterpart: nothing binarized"
    )


def _add_recipe(parser: Parser) -> None:
    group = parser.add_argument_group(
        "recipe",
        "that of --preset, changed by --recipe and then by these options; the defaults shown are\n"
        "the paper's for CIFAR-10, the networks D to H begin with its recipe for ImageNet",
    )
    group.add_argument(
        "--preset",
        choices=PRESETS,
        help="small-data: some hundred pictures a class or fewer; cpu: an evening without a GPU;"
        " paper: as the paper does; says what it sets (default: paper)",
    )
    group.add_argument("--recipe", metavar="FILE", help="TOML or JSON file of these settings")
    add_settings(group, Recipe, RECIPE_HELP, CHOICES)


def _add_machine(parser: Parser) -> None:
    group = parser.add_argument_group("machine")
    add_machine(group)
    group.add_argument(
        "--compile",
        default="off",
        choices=("off", "on", "graphs"),
        help="compile the training pass with torch.compile; graphs: and replay it as CUDA graphs"
        " (single process; default off)",
    )
    group.add_argument(
        "--stream",
        default="auto",
        choices=("auto", "on", "off"),
        help="on: decode images from the folder as they are needed; off: read all into memory"
        " first; auto: on for a folder and the networks D to H",
    )
    group.add_argument(
        "--workers",
        type=positive,
        metavar="N",
        help="threads of a process that decode streamed images (default: as many as cores)",
    )
    group.add_argument(
        "--broken",
        type=_share,
        metavar="SHARE",
        help="share of the pictures that may be left out because they cannot be read; of images in"
        " memory (default 0.01)",
    )
    add_threads_and_seed(group)


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        msg = f"expected a share from 0 to 1; got {text}"
        raise argparse.ArgumentTypeError(msg)
    return value


def _add_output(parser: Parser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument("--out", required=True, metavar="DIR", help="the run's folder")
    group.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in --out; keeps its network and recipe, save "
        + ", ".join(f"--{name.replace('_', '-')}" for name in CHANGEABLE),
    )
    group.add_argument(
        "--checkpoint-minutes",
        type=float,
        default=10.0,
        metavar="N",
        help="also save within an epoch after N minutes (default 10)",
    )
    group.add_argument(
        "--log", default="csv", choices=("csv", "none"), help="metrics.csv or not (default csv)"
    )
    group.add_argument("--tensorboard", action="store_true", help="also write TensorBoard events")
    group.add_argument(
        "--gradients",
        action="store_true",
        help="also write gradients.csv: how large each convolution's gradients are, by epoch",
    )
    group.add_argument("--quiet", action="store_true", help="no progress bar")
    group.add_argument("--json", action="store_true", help="print the final summary as JSON")
