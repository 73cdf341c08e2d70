"""What bnas-export and bnas-import do: read a model, convert, check, write and report it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bnas_deploy import atomic
from bnas_deploy.cli.common.entry import WARNED, require
from bnas_deploy.cli.common.text import tolerant_output
from bnas_deploy.cli.convert.given import arch_of, inputs_of, labels_of, preprocessing_of
from bnas_deploy.cli.convert.options import MOST
from bnas_deploy.cli.convert.paths import opened, output_of, road_for
from bnas_deploy.cli.convert.scope import PACK, UNPACK, Road, check_options, given_options
from bnas_deploy.cli.convert.show import show_error, show_onnx, show_report
from bnas_deploy.converters.packing.model_file import ModelFile
from bnas_deploy.errors import BnasError, UsageError
from bnas_deploy.format import PackedModel, Preprocessing, read, write

if TYPE_CHECKING:
    from bnas_deploy.converters.eight_bit.facts import EightBitOptions
    from bnas_deploy.converters.packing.check import CheckOptions
    from bnas_deploy.converters.packing.report import Report
    from bnas_deploy.converters.packing.source import Source

__all__ = ["convert_file"]

DEFAULT_KINDS = ("shortcut",)
CHECKED = 32

_VALUES = {"labels": labels_of, "arch": arch_of, "preprocessing": preprocessing_of}
"""Options of front ends whose texts name something that is read here."""


def convert_file(args: argparse.Namespace, *, foreign: bool) -> int:
    """Do what the arguments say.

    Args:
        args: The command's.
        foreign: Whether only models of other tools are taken.

    Returns:
        The exit status: 0, or `WARNED` if a file was written that its user must look at.

    Raises:
        BnasError: Of any kind; nothing is written then. With --json it is printed as JSON, too.
    """
    tolerant_output()
    try:
        return _convert(args, foreign=foreign)
    except BnasError as error:
        if args.json:
            show_error(error)
        raise


def _convert(args: argparse.Namespace, *, foreign: bool) -> int:
    file = opened(args.model, foreign=foreign)
    onnx = getattr(args, "format", None) == "onnx"
    road = road_for(file, onnx=onnx, foreign=foreign)
    check_options(args, road)
    output = output_of(args, road)
    if road.name == PACK:
        return _pack(args, file, road, output)
    _write_onnx(args, file, road, output)
    return 0


def _pack(args: argparse.Namespace, file: ModelFile, road: Road, output: Path) -> int:
    source = _source(args, file, road)
    from bnas_deploy.converters.packing.convert import convert_source  # noqa: PLC0415
    from bnas_deploy.converters.packing.layers import larger_than_source  # noqa: PLC0415
    from bnas_deploy.converters.packing.source import plain_preprocessing  # noqa: PLC0415

    pixels = source.preprocessing or plain_preprocessing(source.graph.input_shape)
    model, report = convert_source(
        source, check_options=_check(args, pixels), eight_bit=_eight_bit(args, pixels)
    )
    _check_used(args, report)
    write(model, output)
    source_bytes, size = source.file_bytes or file.size, output.stat().st_size
    grown = larger_than_source(source_bytes, size, report.packed_bytes, report.layers)
    report = report.warned(*grown)
    show_report(report, output, source_bytes, as_json=args.json)
    return WARNED if report.warnings else 0


def _source(args: argparse.Namespace, file: ModelFile, road: Road) -> Source:
    front_end = road.front_end
    assert front_end is not None
    extra, packages = front_end.extra
    require(extra, *packages)
    options: dict[str, Any] = {}
    for name in given_options(args):
        if name in front_end.options:
            value = getattr(args, name)
            options[name] = _VALUES[name](value) if name in _VALUES else value
    source = front_end.read(file, **options)
    if "labels" in options:
        _check_count(args.labels, options["labels"], source.classes)
    return source


def _check_count(given: str, labels: tuple[str, ...], classes: int) -> None:
    expected = (1, 2) if classes == 1 else (classes,)  # one logit tells two classes apart
    if len(labels) not in expected:
        wanted = " or ".join(map(str, expected))
        what = "logit" if classes == 1 else "classes"
        msg = (
            f"--labels {given}: expected {wanted} names, as the model has {classes} {what}; got"
            f" {len(labels)}"
        )
        raise UsageError(msg)


def _check(args: argparse.Namespace, pixels: Preprocessing) -> CheckOptions | None:
    from bnas_deploy.converters.packing.check import CheckOptions  # noqa: PLC0415

    if args.no_check:
        return None
    given = inputs_of(args.check_images, pixels) if args.check_images else None
    images = args.check_random or CHECKED if given is None else given
    return CheckOptions(images, args.backend, args.threads or 1)


def _eight_bit(args: argparse.Namespace, pixels: Preprocessing) -> EightBitOptions | None:
    from bnas_deploy.converters.eight_bit.facts import EightBitOptions  # noqa: PLC0415

    kinds = DEFAULT_KINDS if args.eight_bit is None else args.eight_bit
    if not kinds:
        return None
    given = inputs_of(args.calibrate, pixels, most=MOST) if args.calibrate else None
    return EightBitOptions(kinds, given, args.backend, args.threads or 1)


def _check_used(args: argparse.Namespace, report: Report) -> None:
    """Check that what was given for a program that runs has run; only now this is known."""
    found = report.eight_bit
    measured = found is not None and found.calibration is not None
    if args.calibrate and not measured:
        msg = "--calibrate: no layer of this model is put into 8 bits; leave it out"
        raise UsageError(msg)
    for name in ("backend", "threads"):
        if getattr(args, name) is not None and not measured and report.self_check is None:
            msg = f"--{name}: nothing had to be run with --no-check; leave one of them out"
            raise UsageError(msg)


def _write_onnx(args: argparse.Namespace, file: ModelFile, road: Road, output: Path) -> None:
    require("onnx", "onnx", "onnxruntime")
    model = read(road.path) if road.name == UNPACK else _source(args, file, road)
    from bnas_deploy.converters.packing.source import plain_preprocessing  # noqa: PLC0415
    from bnas_deploy.converters.to_onnx.export import (  # noqa: PLC0415
        packed_to_onnx,
        source_to_onnx,
    )

    if isinstance(model, PackedModel):
        proto, check = packed_to_onnx(model, _check(args, model.preprocessing))
    else:
        pixels = model.preprocessing or plain_preprocessing(model.graph.input_shape)
        proto, check = source_to_onnx(model, _check(args, pixels))
    atomic.write_bytes(output, proto.SerializeToString())
    show_onnx(check, output, as_json=args.json)
