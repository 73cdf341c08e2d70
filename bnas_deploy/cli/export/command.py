"""`bnas-export`: turn a trained network into a packed file or an ONNX model.

Exit status: 0; 2 after a mistake in the arguments, a model that cannot be packed, or a self-check
that failed, in which cases nothing is written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from bnas_deploy.cli.common.entry import Parser, run_cli
from bnas_deploy.cli.convert.body import convert_file
from bnas_deploy.cli.convert.options import add_common, add_foreign, add_release

__all__ = ["export_parser", "main"]

DESCRIPTION = """\
Turn a network trained by bnas-train, or a checkpoint of the BNAS authors' release, into a packed
.bnn file of 64-bit words.

Binary convolutions keep one bit a weight; BatchNorm and sign become one compare a channel; what is
zero, constant or unread for every image is left out, exactly. The stem, the shortcuts of reduction
cells and the classifier stay in full precision, and the report lists them with the reason: the
shortcuts, most of the file and of the time, in 8 bits, the others in float32 (see --eight-bit).

Then the packed network (before the 8 bits) and PyTorch run on the same images. If they disagree by
more than roundings can explain, nothing is written. How often the 8-bit network gives the same
answer as the one in float32 is measured on the same images and reported.
"""
EPILOG = """\
examples:
  bnas-export runs/mini/model.pt                       writes runs/mini/model.bnn
  bnas-export model.pt -o mini.bnn --check-images photos/    checks it on your own pictures
  bnas-export model.pt --calibrate train/              8 bits, ranges measured on training pictures
  bnas-export model.pt --eight-bit none                all but the binary layers in float32
  bnas-export model.pt --json > report.json            the report for programs
  bnas-export weights.pt --arch latest_cell_zeroise    a checkpoint of the authors' release
  bnas-export model.pt --format onnx                   standard operators (--float: its counterpart)
  bnas-export model.bnn --format onnx                  the packed program as ONNX
  bnas-export other.onnx --allow-float                 the same as bnas-import

8 bits: a layer's inputs become whole numbers 0 to 127, whose range must be known beforehand. It is
measured on the pictures of --calibrate (a few hundred of the training set are right, of all
classes; never test pictures), or else on synthetic ones, noise with the spectrum of photographs:
good enough for shortcuts and stem, while a classifier stays in float32 without pictures.

Exit status: 0; 2 after a mistake, or if the self-check failed (then nothing is written).
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with the given arguments (None: those of the process)."""
    return run_cli(_run, argv)


def _run(argv: Sequence[str] | None) -> int:
    return convert_file(export_parser().parse_args(argv), foreign=False)


def export_parser() -> Parser:
    """Return the parser."""
    parser = Parser(
        prog="bnas-export",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("model", metavar="MODEL", help="of bnas-train, weights of the release, ONNX or packed")
    add("--format", choices=("bnn", "onnx"), help="what to write (default: bnn)")
    add("--float", action="store_true", help="with --format onnx: the float counterpart instead")
    add_common(parser)
    add_foreign(parser)
    add_release(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
