"""The options of bnas-latency and their help."""

from __future__ import annotations

import argparse

from bnas_deploy.cli.common.entry import Parser, positive
from bnas_deploy.nn.config import SHORTCUTS
from bnas_deploy.nn.stems import STEM_LAYERS

__all__ = ["WIDTHS", "latency_parser"]

WIDTHS = (8, 12, 16, 20, 24, 32, 40, 48, 64, 96)
EIGHT_BIT = ("shortcut", "stem", "classifier")

_EXAMPLES = """\
examples:
  Measure this machine, in a minute or two where it is idle:
    bnas-latency measure zen4.json

  What networks would take there; --measure also runs them here:
    bnas-latency predict zen4.json Mini Nano runs/mini/model.pt mini.bnn
    bnas-latency predict zen4.json Mini --genotype genotype-gamma-1.json --measure

  The most work that fits into 0.1 ms: cells, widths, reductions, stem, shortcut:
    bnas-latency choose zen4.json --target-ms 0.10 --out outline.json
    bnas-train --data cifar10.tar.xz --config outline.json --out runs/fast

  Search cells for it:
    bnas-search --data cifar10.tar.xz --latency zen4.json --network outline.json \\
                --target-ms 0.10 --out runs/search

A table is JSON and may be used on another machine than the one it was measured
on: the times are of that one. Times are of one image on one thread. A step of a
size that was not measured is interpolated; predict says how much that is.
"""


def latency_parser() -> Parser:
    """Return the parser."""
    parser = Parser(
        prog="bnas-latency",
        description="Measure what the parts of binary networks take on this machine, and predict"
        " the time of networks from it.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_measure(commands.add_parser("measure", help="measure this machine, and write a table"))
    _add_predict(commands.add_parser("predict", help="predict the time of networks"))
    _add_choose(commands.add_parser("choose", help="choose the outline of a network for a time"))
    return parser


def _add_measure(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("table", metavar="TABLE.json", help="where to write the table")
    add(
        "--network",
        default="Mini",
        metavar="NAME|FILE",
        help="gives the image size and the number of classes (default: Mini)",
    )
    add(
        "--widths",
        type=positive,
        nargs="+",
        default=list(WIDTHS),
        metavar="C",
        help="channels of a node to measure; others between them are interpolated (default:"
        f" {' '.join(map(str, WIDTHS))})",
    )
    add(
        "--stems",
        nargs="+",
        choices=STEM_LAYERS,
        metavar="STEM",
        help=f"stems to measure, of {', '.join(STEM_LAYERS)} (default: the network's own)",
    )
    add(
        "--shortcuts",
        nargs="+",
        choices=SHORTCUTS,
        default=list(SHORTCUTS),
        metavar="KIND",
        help=f"shortcuts of reduction cells to measure (default: all, {', '.join(SHORTCUTS)})",
    )
    add("--separable", action="store_true", help="also the separable convolutions")
    add(
        "--eight-bit",
        nargs="*",
        choices=EIGHT_BIT,
        default=list(EIGHT_BIT),
        metavar="KIND",
        help="layers that are packed in 8 bits, of shortcut, stem, classifier; give none for"
        " networks that are exported with --eight-bit none (default: all three)",
    )
    add(
        "--rounds",
        type=positive,
        default=7,
        metavar="N",
        help="measure each network N times, in turns; more are steadier (default 7)",
    )
    add("--quiet", action="store_true", help="do not tell how far it is")
    add("--json", action="store_true", help="print what was measured as JSON")


def _add_predict(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("table", metavar="TABLE.json", help="of bnas-latency measure")
    add(
        "networks",
        nargs="+",
        metavar="NETWORK",
        help="a published one's name, a configuration (.json), a model.pt, or a packed"
        " model (.bnn)",
    )
    add("--genotype", metavar="NAME|FILE", help="other cells for all networks but packed ones")
    add("--measure", action="store_true", help="also run each here, and show how far off it is")
    add("--json", action="store_true", help="print the result as JSON")


def _add_choose(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("table", metavar="TABLE.json", help="of bnas-latency measure")
    add("--target-ms", type=float, required=True, metavar="T", help="predicted time at most")
    add(
        "--network",
        default="Mini",
        metavar="NAME|FILE",
        help="gives the cells and all that is not varied (default: Mini)",
    )
    add("--genotype", metavar="NAME|FILE", help="other cells")
    add(
        "--layers",
        type=positive,
        nargs="+",
        default=[5, 6, 8, 10, 12, 16],
        metavar="N",
        help="numbers of cells to try (default: 5 6 8 10 12 16)",
    )
    add(
        "--widths",
        type=positive,
        nargs="+",
        metavar="C",
        help="channels of a node to try in each stage (default: those of the table)",
    )
    add("--stems", nargs="+", choices=STEM_LAYERS, metavar="STEM", help="(default: the table's)")
    add("--shortcuts", nargs="+", choices=SHORTCUTS, metavar="KIND", help="(default: the table's)")
    add(
        "--no-early",
        action="store_true",
        help="leave reduction cells at the thirds; do not try a first cell that reduces",
    )
    add("--count", type=positive, default=5, metavar="N", help="show so many (default 5)")
    add(
        "--tries",
        type=positive,
        default=14,
        metavar="N",
        help="predict at most N networks for each stem, shortcut and placing (default 14)",
    )
    add("--out", metavar="FILE.json", help="write the first one's configuration, for bnas-train")
    add("--json", action="store_true", help="print the result as JSON")
