"""`bnas-export`: turn a trained network into a packed file; `bnas_deploy.converters` does the work.

Exit status: 0; 2 after a mistake in the arguments, a model that cannot be packed, or a self-check
that failed, in which cases nothing is written.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.cli import Parser, positive, require, run_cli
from bnas_deploy.cli.common.text import safe, tolerant_output
from bnas_deploy.cli.export.onnx import export_onnx
from bnas_deploy.cli.export.release import (
    add_release_options,
    export_release,
    refuse_release_only,
    refuse_release_options,
)
from bnas_deploy.cli.import_model.command import (
    add_import_options,
    import_model,
    refuse_import_options,
)
from bnas_deploy.errors import CheckpointError, UsageError
from bnas_deploy.format import PackedModel, Preprocessing, write

if TYPE_CHECKING:
    from bnas_deploy.converters import Report

__all__ = ["load_pictures", "main"]

MOST = 512
"""Pictures that calibration takes at most."""

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
  bnas-export model.pt -o mini.bnn --images photos/    checks it on your own pictures
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
    args = _parser().parse_args(argv)
    tolerant_output()
    if args.model.endswith(".onnx"):
        refuse_release_only(args)
        return import_model(args)
    if args.format == "onnx" or args.float:
        refuse_release_only(args)
        return export_onnx(args)
    refuse_import_options(args)
    source, output = _paths(args)
    model, report = _export(args, source)
    write(model, output)
    _print(args, report, output)
    return 0


def _parser() -> Parser:
    parser = Parser(
        prog="bnas-export",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("model", metavar="MODEL", help="of bnas-train, weights of the release, or an ONNX model")
    add("-o", "--output", metavar="FILE", help="(default: MODEL.bnn beside the model)")
    add("--format", choices=("bnn", "onnx"), default="bnn", help="what to write (default: bnn)")
    add("--float", action="store_true", help="with --format onnx: the float counterpart instead")
    add("--json", action="store_true", help="print the report as one JSON object")
    add("--no-verify", action="store_true", help="skip the self-check")
    add(
        "--verify-images",
        type=positive,
        metavar="N",
        help="random images for the self-check (default: 32)",
    )
    add("--images", nargs="+", metavar="IMAGE", help="pictures or folders for the self-check")
    add(
        "--eight-bit",
        type=_kinds,
        default=("shortcut",),
        metavar="LAYERS",
        help="layers to put into 8 bits: shortcut, stem, classifier (several with commas), all, or"
        " none (default: shortcut)",
    )
    add(
        "--calibrate",
        nargs="+",
        metavar="IMAGE",
        help=f"pictures or folders to measure the ranges for 8 bits on; of more than {MOST:,}, as"
        " many are taken, spread evenly (default: synthetic pictures)",
    )
    add_import_options(parser)
    add("--backend", help="backend for self-check and ranges: native, numba or reference")
    add("--threads", type=positive, default=1, metavar="N", help="threads of it (default: 1)")
    add_release_options(parser)
    return parser


def _paths(args: argparse.Namespace) -> tuple[Path, Path]:
    source = Path(args.model)
    if not source.is_file():
        msg = f"{args.model}: no such file; expected the model.pt that bnas-train wrote"
        raise UsageError(msg)
    output = Path(args.output) if args.output else source.with_suffix(".bnn")
    if output.resolve() == source.resolve():
        msg = f"{output}: cannot be written there, it is the input; name another file with -o"
        raise UsageError(msg)
    if not output.parent.is_dir() or output.is_dir():
        msg = f"{output}: cannot be written there; name a file in an existing folder with -o"
        raise UsageError(msg)
    if args.no_verify and (args.images or args.verify_images):
        msg = "--no-verify contradicts --images and --verify-images"
        raise UsageError(msg)
    if args.no_verify and args.backend and not args.eight_bit:
        msg = "--no-verify and --eight-bit none leave nothing for --backend to run"
        raise UsageError(msg)
    if args.calibrate and not args.eight_bit:
        msg = "--calibrate is for layers in 8 bits, and --eight-bit none leaves none"
        raise UsageError(msg)
    if args.images and args.verify_images:
        msg = "give either --images or --verify-images, not both"
        raise UsageError(msg)
    return source, output


def _kinds(text: str) -> tuple[str, ...]:
    """The value of --eight-bit."""
    # Not at the top: --version needs no converter.
    from bnas_deploy.converters.eight_bit.facts import KINDS, check_kinds  # noqa: PLC0415

    if text in ("all", "none"):
        return KINDS if text == "all" else ()
    try:
        return check_kinds(text.split(","))
    except UsageError as error:
        msg = f"expected all, none, or some of {', '.join(KINDS)} with commas between; got {text!r}"
        raise argparse.ArgumentTypeError(msg) from error


def _export(args: argparse.Namespace, source: Path) -> tuple[PackedModel, Report]:
    require("train", "torch")
    # torch takes a second to import, and --help should not wait for it.
    from bnas_deploy.converters.eight_bit.facts import EightBitOptions  # noqa: PLC0415
    from bnas_deploy.converters.from_torch.convert import convert, self_check  # noqa: PLC0415
    from bnas_deploy.training.product import is_ours, load_model  # noqa: PLC0415
    from bnas_deploy.training.torch_file import read_any  # noqa: PLC0415

    facts = {"source": {"file": safe(source.name), "sha256": _sha256(source)}}

    def options(pixels: Preprocessing) -> EightBitOptions | None:
        if not args.eight_bit:
            return None
        given = load_pictures(args.calibrate, pixels, most=MOST) if args.calibrate else None
        return EightBitOptions(args.eight_bit, given, args.backend, args.threads)

    def images(pixels: Preprocessing) -> npt.NDArray[np.float32] | int | None:
        if args.no_verify:
            return None
        return load_pictures(args.images, pixels) if args.images else args.verify_images or 32

    value = read_any(source)
    if not is_ours(value):
        return export_release(args, source, value, facts=facts, options=options, images=images)
    refuse_release_options(args)
    loaded = load_model(source)
    size = loaded.preprocessing
    pixels = Preprocessing(size.shorter_side, size.size, size.mean, size.std)
    model, report = convert(loaded, provenance=facts, eight_bit=options(pixels))
    given = images(pixels)
    if given is None:
        return model, report
    return self_check(
        loaded.network, model, report, images=given, backend=args.backend, threads=args.threads
    )


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        msg = f"{path}: {error.strerror or error}"
        raise CheckpointError(msg) from error


def load_pictures(
    names: Sequence[str], preprocessing: Preprocessing, *, most: int | None = None
) -> npt.NDArray[np.float32]:
    """Read pictures and folders of them as (N, C, H, W), `most` at most, spread evenly.

    Raises:
        UsageError: A name is no picture and no folder.
        ImageError: A picture cannot be read.
    """
    from bnas_deploy.runtime.preprocess import normalise, read_pixels  # noqa: PLC0415
    from bnas_deploy.runtime.sources import find_pictures  # noqa: PLC0415

    items, problems = find_pictures(names)
    if problems:
        raise UsageError("; ".join(problems))
    if most is not None and len(items) > most:
        items = [items[i * len(items) // most] for i in range(most)]
    pixels = [read_pixels(item.picture, preprocessing, item.name) for item in items]
    return normalise(np.stack(pixels), preprocessing)


def _print(args: argparse.Namespace, report: Report, output: Path) -> None:
    from bnas_deploy.converters.packing.report_text import report_lines  # noqa: PLC0415

    size = output.stat().st_size
    if args.json:
        record: dict[str, Any] = {"output": str(output), "file_bytes": size, **report.to_dict()}
        print(json.dumps(record, indent=2))
        return
    print("\n".join(map(safe, report_lines(report))))
    print(f"wrote {safe(str(output))} ({size:,} bytes)")
