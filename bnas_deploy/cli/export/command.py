"""`bnas-export`: turn a trained network into a packed file or an ONNX model.

Exit status: 0; 2 after a mistake in the arguments, a model that cannot be packed, or a self-check
that failed, in which cases nothing is written; 3 if the file was written with a warning.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from bnas_deploy.cli.common.entry import Parser, run_cli
from bnas_deploy.cli.convert.body import convert_file
from bnas_deploy.cli.convert.options import add_code, add_common, add_foreign, add_release

__all__ = ["export_parser", "main"]

DESCRIPTION = """\
Turn a network trained by bnas-train, a model of your own in PyTorch, or a
checkpoint of the BNAS authors' release, into a packed .bnn file.

Each weight of a binary convolution becomes one bit; BatchNorm and sign become
one compare per channel; parts that are zero, constant or unused for every image
are removed, which changes no result. The stem, the shortcuts of reduction cells
and the classifier stay in full precision, and the report lists them with the
reason. The shortcuts, most of the file and of the time, are put into 8 bits,
the others stay in float32 (see --eight-bit).

Then the packed network, before the 8 bits, and PyTorch run on the same images.
If they differ by more than rounding can explain, nothing is written. The report
also says how often the 8-bit network and the float32 one give the same answer
on these images.
"""
EPILOG = """\
examples:
  bnas-export runs/mini/model.pt             writes runs/mini/model.bnn
  bnas-export model.pt --check-images photos/ -o mini.bnn    your own pictures
  bnas-export model.pt --calibrate train/    8 bits, ranges from pictures
  bnas-export model.pt --eight-bit none      non-binary layers in float32
  bnas-export model.pt --json > report.json  the report for programs
  bnas-export weights.pt --arch latest_cell_zeroise    the authors' checkpoint
  bnas-export model.pt --format onnx         as ONNX (--float: its counterpart)
  bnas-export model.bnn --format onnx        the packed program as ONNX
  bnas-export other.onnx --allow-float       the same as bnas-import
  bnas-export network.pt2 --allow-float      a program of torch.export.save
  bnas-export my.nets:build --weights w.pth --input-shape 3,32,32
                                             my/nets.py has a function build()

package.module:name is imported, from the current folder or where Python finds
it, and called without arguments: this runs that code. Loading a .pt2 file can
run code, too. Take both from people you trust only (docs/pytorch.md).

8 bits: the inputs of a layer become whole numbers from 0 to 127, so their range
must be known beforehand. It is measured on the pictures of --calibrate: a few
hundred from the training set, of all classes, and never test pictures. Without
them it is measured on synthetic ones, noise with the spectrum of photographs.
These are good enough for the shortcuts and the stem; a classifier stays in
float32 without pictures.

Exit status: 0; 2 after a mistake, or if the self-check failed (then nothing is
written); 3 if the file was written with a warning (see bnas-import --help).
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
    add(
        "model",
        metavar="MODEL",
        help="model.pt, weights of the release, ONNX or TensorFlow Lite model, .pt2 file,"
        " package.module:name, or packed file",
    )
    add("--format", choices=("bnn", "onnx"), help="what to write (default: bnn)")
    add("--float", action="store_true", help="with --format onnx: the float counterpart instead")
    add_common(parser)
    add_foreign(parser)
    add_code(parser)
    add_release(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
