"""`bnas-import`: turn a binary model of another tool into a packed file.

Exit status: 0; 2 after a mistake in the arguments, a model that is damaged or cannot be packed, or
a self-check that failed, in which cases nothing is written; 3 if the file was written with a
warning.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from bnas_deploy.cli.common.entry import Parser, run_cli
from bnas_deploy.cli.convert.body import convert_file
from bnas_deploy.cli.convert.options import add_code, add_common, add_foreign

__all__ = ["import_parser", "main"]

DESCRIPTION = """\
Turn a binary model, ONNX, TensorFlow Lite or PyTorch, into a packed .bnn file.

A convolution or linear layer is packed if its weights are +1 and -1 times one
scale per output channel and its input is a sign, however the sign is written;
docs/onnx.md, docs/tflite.md and docs/pytorch.md list what is understood. If any
part of the model cannot be converted, all such parts are listed and nothing is
written. Layers that would stay in full precision are listed too, and need
--allow-float.

Then the model and the packed program, before the 8 bits, run on the same
inputs. If they differ by more than rounding can explain, nothing is written.
Full-precision shortcuts are put into 8 bits, as in bnas-export, if it is known
how pictures become inputs (see --eight-bit).
"""
EPILOG = """\
examples:
  bnas-import model.onnx                           writes model.bnn
  bnas-import model.onnx --allow-float -o net.bnn  some layers are not binary
  bnas-import model.onnx --check-images photos/ \\
              --mean 0.49,0.48,0.45 --std 0.25,0.24,0.26
  bnas-import model.onnx --check-images batch.npy  an array (N, ...) of inputs
  bnas-import model.onnx --allow-float --eight-bit all --calibrate train/
  bnas-import model.onnx --allow-float --eight-bit none
  bnas-import larq.tflite --allow-float            larq's converted model
  bnas-import network.pt2 --allow-float            a program of torch.export.save
  bnas-import my.nets:build --weights w.pth --input-shape 3,32,32
                                                   my/nets.py has a function build()

package.module:name is imported, from the current folder or where Python finds
it, and called without arguments: this runs that code. Loading a .pt2 file can
run code, too. Take both from people you trust only (docs/pytorch.md).

Exit status: 0; 2 after a mistake, or if the model cannot be packed or the
self-check failed (then nothing is written); 3 if the file was written with a
warning that needs your attention: no layer is binary, a sign may have been lost
in the export, Sign(0) makes a difference, or the file is larger than the model.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with the given arguments (None: those of the process)."""
    return run_cli(_run, argv)


def _run(argv: Sequence[str] | None) -> int:
    return convert_file(import_parser().parse_args(argv), foreign=True)


def import_parser() -> Parser:
    """Return the parser."""
    parser = Parser(
        prog="bnas-import",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="the model: ONNX (its external data must be beside it), TensorFlow Lite, a .pt2 file,"
        " or package.module:name",
    )
    add_common(parser)
    add_foreign(parser)
    add_code(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
