"""`bnas-import`: turn a binary ONNX model into a packed file; `from_onnx.convert` does the work.

Exit status: 0; 2 after a mistake in the arguments, a model that is damaged or cannot be packed, or
a self-check that failed, in which cases nothing is written.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.cli.common.entry import Parser, positive, require, run_cli
from bnas_deploy.cli.common.text import safe, tolerant_output
from bnas_deploy.errors import UsageError
from bnas_deploy.format import Preprocessing, write

if TYPE_CHECKING:
    from bnas_deploy.converters.from_onnx.convert import OnnxImport

__all__ = ["add_import_options", "import_model", "main", "refuse_import_options"]

DESCRIPTION = """\
Turn a binary ONNX model into a packed .bnn file of 64-bit words.

Convolutions and linear layers whose weights are +-1 up to one scale an output channel, and whose
input is a sign in any of its spellings, become packed ones; docs/onnx.md lists what is understood.
If anything else is in the way, all of it is listed and nothing is written. Layers that would stay
in full precision are listed too, and need --allow-float.

Then ONNX Runtime and the packed program run on the same inputs. If they disagree by more than
roundings can explain, nothing is written.
"""
EPILOG = """\
examples:
  bnas-import model.onnx                               writes model.bnn; every layer is binary
  bnas-import model.onnx --allow-float -o net.bnn      the first and last layer are not, say
  bnas-import model.onnx --check-images photos/ --mean 0.49,0.48,0.45 --std 0.25,0.24,0.26
  bnas-import model.onnx --check-images batch.npy      an array (N, ...), as the model takes it

Exit status: 0; 2 after a mistake, or if the model cannot be packed (then nothing is written).
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with the given arguments (None: those of the process)."""
    return run_cli(_run, argv)


def _run(argv: Sequence[str] | None) -> int:
    args = _parser().parse_args(argv)
    tolerant_output()
    return import_model(args)


def _parser() -> Parser:
    parser = Parser(
        prog="bnas-import",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("model", metavar="MODEL.onnx", help="the model; external data lies beside it")
    add("-o", "--output", metavar="MODEL.bnn", help="(default: MODEL.bnn beside MODEL.onnx)")
    add("--json", action="store_true", help="print the report as one JSON object")
    add("--no-verify", action="store_true", help="skip the comparison with ONNX Runtime")
    add("--verify-images", type=positive, metavar="N", help="random inputs for it (default: 32)")
    add_import_options(parser)
    add("--labels", metavar="FILE", help="one class name a line (default: class 0 and so on)")
    add("--backend", help="backend for the comparison: native, numba or reference")
    add("--threads", type=positive, default=1, metavar="N", help="threads of it (default: 1)")
    return parser


def add_import_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that only ONNX models have."""
    group = parser.add_argument_group("ONNX models")
    add = group.add_argument
    add("--allow-float", action="store_true", help="let layers that are not binary run in float32")
    add(
        "--sign-zero",
        choices=("auto", "exact", "plus"),
        default="auto",
        help="ONNX's Sign(0) is 0: keep that wherever it is more than a coincidence (auto), keep it"
        " everywhere (exact), or take +1 (plus)",
    )
    add(
        "--check-images",
        nargs="+",
        metavar="IMAGE",
        help="pictures or folders for the comparison with ONNX Runtime, or one .npy array",
    )
    add("--mean", type=_numbers, metavar="M,M,M", help="of each channel, from 0 to 1 (default: 0)")
    add("--std", type=_numbers, metavar="S,S,S", help="of each channel (default: 1)")
    add("--resize", type=positive, metavar="PIXELS", help="of a picture's shorter side")


def refuse_import_options(args: argparse.Namespace) -> None:
    """Check that no option of ONNX models was given with another model.

    Raises:
        UsageError: One was.
    """
    given = [
        f"--{name.replace('_', '-')}"
        for name in ("allow_float", "check_images", "mean", "std", "resize")
        if getattr(args, name)
    ]
    if given or args.sign_zero != "auto":
        msg = f"{', '.join(given) or '--sign-zero'}: only for ONNX models; got {args.model}"
        raise UsageError(msg)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        msg = f"expected numbers with commas between, got {text!r}"
        raise argparse.ArgumentTypeError(msg) from error


def import_model(args: argparse.Namespace) -> int:
    """Do what the arguments of `bnas-import` (or `bnas-export` with an ONNX model) say.

    Raises:
        BnasError: Of any kind; nothing is written then.
    """
    source, output = _paths(args)
    require("onnx", "onnx", "onnxruntime")
    # onnx takes its time to import, and --help should not wait for it.
    from bnas_deploy.converters.from_onnx.convert import convert_onnx  # noqa: PLC0415

    preprocessing = _preprocessing(args, source)
    images: npt.NDArray[np.float32] | int = args.verify_images or 32
    if args.check_images:
        images = _images(args.check_images, preprocessing)
    result = convert_onnx(
        source,
        allow_float=args.allow_float,
        sign_zero=args.sign_zero,
        labels=_labels(args.labels),
        preprocessing=preprocessing,
        images=0 if args.no_verify else images,
        backend=args.backend,
        threads=args.threads,
    )
    write(result.model, output)
    _print(args, result, output)
    return 0


def _paths(args: argparse.Namespace) -> tuple[Path, Path]:
    source = Path(args.model)
    if not source.is_file():
        msg = f"{args.model}: no such file; expected an ONNX model"
        raise UsageError(msg)
    output = Path(args.output) if args.output else source.with_suffix(".bnn")
    if output.resolve() == source.resolve() or not output.parent.is_dir() or output.is_dir():
        msg = f"{output}: cannot be written there; name another file in an existing folder with -o"
        raise UsageError(msg)
    if args.no_verify and (args.check_images or args.verify_images):
        msg = "--no-verify contradicts --check-images and --verify-images"
        raise UsageError(msg)
    if args.check_images and args.verify_images:
        msg = "give either --check-images or --verify-images, not both"
        raise UsageError(msg)
    return source, output


def _preprocessing(args: argparse.Namespace, source: Path) -> Preprocessing | None:
    """What the options say about pictures; None if nothing."""
    arrays_only = args.check_images and all(name.endswith(".npy") for name in args.check_images)
    pictures = args.check_images and not arrays_only
    if not (args.mean or args.std or args.resize or pictures):
        return None
    from bnas_deploy.converters.from_onnx.read import read_onnx  # noqa: PLC0415

    channels, height, width = read_onnx(source).image
    return Preprocessing(
        args.resize or max(height, width),
        (height, width),
        args.mean or (0.0,) * channels,
        args.std or (1.0,) * channels,
    )


def _labels(name: str | None) -> tuple[str, ...] | None:
    if name is None:
        return None
    try:
        text = Path(name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{name}: cannot be read as text with one class name a line ({error})"
        raise UsageError(msg) from error
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _images(names: Sequence[str], preprocessing: Preprocessing | None) -> npt.NDArray[np.float32]:
    if len(names) == 1 and names[0].endswith(".npy"):
        return _array(names[0])
    from bnas_deploy.cli.export.command import load_pictures  # noqa: PLC0415

    assert preprocessing is not None  # as pictures are named
    return load_pictures(names, preprocessing)


def _array(name: str) -> npt.NDArray[np.float32]:
    try:
        array = np.load(name, allow_pickle=False)
    except (OSError, ValueError) as error:
        msg = f"{name}: not an array that NumPy can read ({error})"
        raise UsageError(msg) from error
    if not isinstance(array, np.ndarray) or array.ndim < 2 or array.dtype.kind not in "fiu":
        msg = f"{name}: expected an array (N, ...) of numbers"
        raise UsageError(msg)
    if not len(array) or not np.isfinite(array).all():
        msg = f"{name}: expected at least one input, of finite numbers"
        raise UsageError(msg)
    return array.astype(np.float32)


def _print(args: argparse.Namespace, result: OnnxImport, output: Path) -> None:
    from bnas_deploy.converters.packing.report_text import report_lines  # noqa: PLC0415

    size = output.stat().st_size
    if args.json:
        record: dict[str, Any] = {
            "output": str(output),
            "file_bytes": size,
            "notes": list(result.notes),
            **result.report.to_dict(),
        }
        print(json.dumps(record, indent=2))
        return
    lines = [*report_lines(result.report), *(f"note: {note}" for note in result.notes)]
    print("\n".join(map(safe, lines)))
    print(f"wrote {safe(str(output))} ({size:,} bytes)")
