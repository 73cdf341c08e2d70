"""`bnas-export --format onnx`: a model.pt or a packed file as ONNX, checked with ONNX Runtime."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bnas_deploy import atomic
from bnas_deploy.cli.common.entry import require
from bnas_deploy.cli.common.text import safe
from bnas_deploy.errors import UsageError
from bnas_deploy.format import PackedModel, Preprocessing, read

if TYPE_CHECKING:
    from bnas_deploy.converters.packing.self_check import SelfCheck
    from bnas_deploy.converters.to_onnx.writer import ModelProto

__all__ = ["export_onnx"]

_NOT_HERE = (
    "images", "calibrate", "allow_float", "check_images", "labels", "mean", "std", "resize",
)  # fmt: skip


def export_onnx(args: argparse.Namespace) -> int:
    """Do what the arguments of `bnas-export --format onnx` say.

    Raises:
        BnasError: Of any kind; nothing is written then.
    """
    source, output = _paths(args)
    require("onnx", "onnx", "onnxruntime")
    count = 0 if args.no_verify else args.verify_images or 32
    packed = source.suffix == ".bnn"
    proto, check = (
        _from_packed(args, source, count) if packed else _from_network(args, source, count)
    )
    data = proto.SerializeToString()
    atomic.write_bytes(output, data)
    _print(args, output, len(data), check)
    return 0


def _paths(args: argparse.Namespace) -> tuple[Path, Path]:
    if args.format != "onnx":
        msg = "--float needs --format onnx"
        raise UsageError(msg)
    given = [f"--{name.replace('_', '-')}" for name in _NOT_HERE if getattr(args, name)]
    if given:
        msg = f"{', '.join(given)} cannot be combined with --format onnx"
        raise UsageError(msg)
    source = Path(args.model)
    if not source.is_file():
        msg = f"{args.model}: no such file; expected a model.pt of bnas-train or a .bnn file"
        raise UsageError(msg)
    if args.float and source.suffix == ".bnn":
        msg = "--float needs the model.pt: a .bnn file no longer has the float weights"
        raise UsageError(msg)
    output = Path(args.output) if args.output else source.with_suffix(".onnx")
    if output.resolve() == source.resolve() or not output.parent.is_dir() or output.is_dir():
        msg = f"{output}: cannot be written there; name another file in an existing folder with -o"
        raise UsageError(msg)
    return source, output


def _from_network(
    args: argparse.Namespace, source: Path, count: int
) -> tuple[ModelProto, SelfCheck | None]:
    require("train", "torch")
    # torch takes a second to import, and --help should not wait for it.
    from bnas_deploy.converters.from_torch.convert import torch_logits  # noqa: PLC0415
    from bnas_deploy.converters.to_onnx.network import (  # noqa: PLC0415
        float_counterpart,
        network_to_onnx,
    )
    from bnas_deploy.converters.to_onnx.writer import metadata_of  # noqa: PLC0415
    from bnas_deploy.training.product import load_model  # noqa: PLC0415

    loaded = load_model(source)
    size = loaded.preprocessing
    pixels = Preprocessing(size.shorter_side, size.size, size.mean, size.std)
    network = float_counterpart(loaded.network) if args.float else loaded.network
    proto = network_to_onnx(network, metadata=metadata_of(loaded.labels, pixels))
    if not count:
        return proto, None
    images = _random(pixels, count)
    return proto, _compare(proto, images, torch_logits(network, images), "PyTorch")


def _from_packed(
    args: argparse.Namespace, source: Path, count: int
) -> tuple[ModelProto, SelfCheck | None]:
    from bnas_deploy import engine  # noqa: PLC0415
    from bnas_deploy.converters.to_onnx.program import program_to_onnx  # noqa: PLC0415

    model: PackedModel = read(source)
    proto = program_to_onnx(model)
    if not count:
        return proto, None
    images = _random(model.preprocessing, count)
    runner = engine.create(model, backend=args.backend, threads=args.threads)
    return proto, _compare(proto, images, runner.run(images), "the packed program")


def _random(preprocessing: Preprocessing, count: int) -> Any:  # noqa: ANN401
    from bnas_deploy.converters.packing.self_check import random_pictures  # noqa: PLC0415

    p = preprocessing
    return random_pictures(count, p.crop, p.mean, p.std)


def _compare(proto: ModelProto, images: Any, expected: Any, against: str) -> SelfCheck:  # noqa: ANN401
    from bnas_deploy.converters.from_onnx.logits import onnx_logits  # noqa: PLC0415
    from bnas_deploy.converters.packing.self_check import compare_logits  # noqa: PLC0415

    got = onnx_logits(proto, np.asarray(images, np.float32))
    return compare_logits(expected, got, source="random", backend="ONNX Runtime", against=against)


def _print(args: argparse.Namespace, output: Path, size: int, check: SelfCheck | None) -> None:
    if args.json:
        found = None if check is None else asdict(check)
        record = {"output": str(output), "file_bytes": size, "self_check": found}
        print(json.dumps(record, indent=2))
        return
    if check is None:
        print("self-check: not run")
    else:
        print(
            f"self-check: {check.images} random images, {check.against} against ONNX Runtime: same"
            f" answer for {check.same_answer} of {check.images}; logits differ by at most"
            f" {check.largest_difference:.2g} ({check.relative_error:.2g} of their spread)"
        )
    print(f"wrote {safe(str(output))} ({size:,} bytes)")
