"""Writes a network by either of PyTorch's exporters, and says what an import makes of the file."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

import bnas_deploy
from bnas_deploy import engine
from bnas_deploy.converters.from_onnx.convert import convert_onnx
from bnas_deploy.errors import BnasError

EXPORTERS = ("TorchScript", "torch.export")
SIZE = (10, 12)


@dataclass(frozen=True)
class Outcome:
    """What became of a network.

    Attributes:
        binary: How many layers became binary convolutions.
        floats: Reasons of layers in full precision, but for the stem and the classifier.
        alike: The share of pictures with the class that PyTorch gives them.
        away: The largest difference of logits, of their spread, of the picture in the middle.
        refused: Why it was refused, or why PyTorch does not export it.
    """

    binary: int = 0
    floats: tuple[str, ...] = ()
    alike: float = 0.0
    away: float = 0.0
    refused: str = ""

    @property
    def right(self) -> bool:
        return not self.refused and self.alike == 1 and self.away < 1e-4

    @property
    def all_binary(self) -> bool:
        """Whether both spelt layers are binary."""
        return self.right and self.binary >= 2


def exported(model, path: Path, exporter: str) -> Path:
    """Write a model; of both exporters the batch is dynamic."""
    example = (torch.randn(2, 3, *SIZE),)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if exporter == "TorchScript":
            torch.onnx.export(
                model, example, str(path), dynamo=False, input_names=["x"],
                dynamic_axes={"x": {0: "N"}}, opset_version=17,
            )  # fmt: skip
        else:
            torch.onnx.export(
                model, example, str(path), dynamo=True, input_names=["x"], verbose=False,
                dynamic_shapes=({0: torch.export.Dim("N")},), external_data=False,
            )  # fmt: skip
    return path


def pictures():
    """Noise, half black, whole numbers: (24, 3, H, W) float32."""
    images = np.random.default_rng(0).standard_normal((24, 3, *SIZE)).astype(np.float32)
    images[8:16, :, 3:] = 0
    images[16:] = np.rint(images[16:] * 100)
    return images


def outcome(model, path: Path | None) -> Outcome:
    """Import a file, or the model itself, and compare its answers with those of the model."""
    try:
        if path is None:
            example = torch.zeros(2, 3, *SIZE)
            packed, report = bnas_deploy.convert(model, example, allow_float=True, images=0)
        else:
            packed, report = convert_onnx(path, allow_float=True, images=0)
    except BnasError as error:
        return Outcome(refused=str(error))
    images = pictures()
    with torch.no_grad():
        expected = model(torch.from_numpy(images)).numpy()
    got = engine.create(packed, backend="reference").run(images)
    kept = [k.reason for k in report.kept if k.op in ("conv", "linear")]
    return Outcome(
        binary=report.binary_convolutions[1],
        floats=tuple(kept[1:-1]),
        alike=float((got.argmax(1) == expected.argmax(1)).mean()),
        away=float(np.median(np.abs(got - expected).max(1)) / expected.std()),
    )
