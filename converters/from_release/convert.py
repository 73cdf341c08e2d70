"""From a checkpoint of the authors' release to a packed model, and its check.

The parts: `weights` checks the weights, `layout` and `cell` find out which network they belong to,
`network` makes the graph, `packing` the program, and `evaluate` is what the program is compared
with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bnas_deploy.converters.eight_bit.facts import EightBitOptions
from bnas_deploy.converters.from_release.cell import Arch, choose_cell, release_config
from bnas_deploy.converters.from_release.evaluate import release_logits
from bnas_deploy.converters.from_release.layout import Layout, infer_layout
from bnas_deploy.converters.from_release.network import release_graph
from bnas_deploy.converters.from_release.weights import (
    Ignored,
    StateDict,
    checked_weights,
    find_state_dict,
)
from bnas_deploy.converters.from_torch.convert import config_facts
from bnas_deploy.converters.packing.pack import Source, check, pack
from bnas_deploy.converters.packing.report import Report
from bnas_deploy.format import PackedModel, Preprocessing
from bnas_deploy.nn.config import NetworkConfig

__all__ = [
    "Opened",
    "Release",
    "check_release",
    "convert_release",
    "open_release",
    "self_check_release",
]


@dataclass(frozen=True)
class Opened:
    """A file whose names and shapes were understood; its numbers are unchecked.

    Attributes:
        source: The file's name, for messages.
        held: Its bytes.
        found: The entries of the network.
        layout: What they tell.
        arch: The cell.
    """

    source: str
    held: int
    found: StateDict
    layout: Layout
    arch: Arch


@dataclass(frozen=True)
class Release:
    """A checked checkpoint.

    Attributes:
        config: What the network is made of.
        weights: float32 tensors by name.
        ignored: Entries that are not used.
        notes: How it was read, for people.
    """

    config: NetworkConfig
    weights: Mapping[str, Tensor]
    ignored: tuple[Ignored, ...]
    notes: tuple[str, ...]


def open_release(source: str, value: object, *, held: int, arch: Arch | None = None) -> Opened:
    """Find out which network a checkpoint is of.

    Args:
        source: The file's name, for messages.
        value: What `torch.load(..., weights_only=True)` gave.
        held: Bytes of the file.
        arch: The cell, if the user names one.

    Raises:
        CheckpointError: It is no such checkpoint, or the cell is needed or does not fit.
    """
    found = find_state_dict(source, value)
    shapes = {n: tuple(v.shape) for n, v in found.entries.items() if isinstance(v, Tensor)}
    layout = infer_layout(source, shapes)
    return Opened(source, held, found, layout, choose_cell(source, layout, arch))


def check_release(opened: Opened, image_size: int) -> Release:
    """Check every name, shape and number.

    Args:
        opened: From `open_release`.
        image_size: Height and width of the images in pixels.

    Raises:
        CheckpointError: Something does not fit; the message names it.
    """
    layout = opened.layout
    config = release_config(opened.source, layout, opened.arch, image_size)
    weights, ignored = checked_weights(opened.source, opened.found, config, held=opened.held)
    notes = [
        (
            f"a state_dict of the authors' release: {layout.layers} cells, reduction cells"
            f" {layout.reductions[0]} and {layout.reductions[1]}, C = {layout.channels},"
            f" {layout.classes} classes, {layout.dataset} stem"
        ),
        f"cell {opened.arch.name}: {opened.arch.how}",
        *opened.found.notes,
        *(f"ignored: {entry.name} ({entry.reason})" for entry in ignored),
    ]
    return Release(config, weights, ignored, tuple(notes))


def convert_release(
    release: Release,
    *,
    labels: Sequence[str],
    preprocessing: Preprocessing,
    provenance: Mapping[str, Any] | None = None,
    eight_bit: EightBitOptions | None = None,
) -> tuple[PackedModel, Report]:
    """Pack a checkpoint in the release's semantics; see `pack` for arguments and errors."""
    return pack(
        _source(release),
        labels=labels,
        preprocessing=preprocessing,
        provenance=provenance,
        eight_bit=eight_bit,
    )


def self_check_release(
    release: Release,
    model: PackedModel,
    report: Report,
    *,
    images: npt.NDArray[np.float32] | int = 32,
    backend: str | None = None,
    threads: int = 1,
) -> tuple[PackedModel, Report]:
    """Compare the packed program with PyTorch in the release's semantics; see `pack.check`."""
    return check(
        _source(release),
        partial(_torch_logits, release),
        model,
        report,
        images=images,
        backend=backend,
        threads=threads,
    )


def _source(release: Release) -> Source:
    made = release_graph(release.weights, release.config)
    statistics = ("running_mean", "running_var")
    parameters = [w for name, w in release.weights.items() if not name.endswith(statistics)]
    facts = {
        **config_facts(release.config),
        "release": {
            "ignored": [asdict(entry) for entry in release.ignored],
            "float_weights": dict(made.floats),
        },
    }
    return Source(
        graph=made.graph,
        config=release.config,
        parameters=sum(tensor.numel() for tensor in parameters),
        facts=facts,
        floats=made.floats,
        notes=release.notes,
    )


def _torch_logits(release: Release, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    logits = release_logits(release.weights, release.config.genotype, torch.from_numpy(images))
    return np.asarray(logits.numpy(), np.float32)
