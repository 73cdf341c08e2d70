"""A checkpoint of the authors' release as a `Source` to pack, in the release's semantics.

`weights` checks the weights, `layout` and `cell` find out which network they belong to, `network`
makes the graph, and `evaluate` is what the packed program is checked against.
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

from bnas_deploy.checkpoints.left_out import LeftOut
from bnas_deploy.checkpoints.state import State
from bnas_deploy.checkpoints.torch_file import load_bytes
from bnas_deploy.converters.from_release.cell import Arch, choose_cell, release_config
from bnas_deploy.converters.from_release.defaults import labels_for, preprocessing_for
from bnas_deploy.converters.from_release.evaluate import release_logits
from bnas_deploy.converters.from_release.layout import Layout, infer_layout
from bnas_deploy.converters.from_release.network import release_graph
from bnas_deploy.converters.from_release.weights import (
    checked_weights,
    find_weights,
)
from bnas_deploy.converters.from_torch.source import (
    PYTORCH,
    config_facts,
    network_layers,
    paper_of,
    usual_reasons,
)
from bnas_deploy.converters.packing.model_file import ModelFile
from bnas_deploy.converters.packing.source import Inside, Original, Source
from bnas_deploy.format import Preprocessing
from bnas_deploy.nn.config import NetworkConfig

__all__ = ["Opened", "Release", "check_release", "open_release", "read", "release_source"]


@dataclass(frozen=True)
class Opened:
    """A file whose names and shapes were understood; its numbers are unchecked.

    Attributes:
        source: The file's name, for messages.
        held: Its bytes.
        found: The weights of the network.
        layout: What they tell.
        arch: The cell.
    """

    source: str
    held: int
    found: State
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
    ignored: tuple[LeftOut, ...]
    notes: tuple[str, ...]


def read(
    file: ModelFile,
    *,
    entry: str | None = None,
    arch: Arch | None = None,
    labels: tuple[str, ...] | None = None,
    preprocessing: Preprocessing | None = None,
) -> Source:
    """Read a checkpoint.

    Args:
        file: The file.
        entry: Which of its entries holds the weights (default: the only one that does).
        arch: The cell (default: the only known one that fits the weights).
        labels: One per class (default: CIFAR-10's for its stem and ten classes).
        preprocessing: How pictures become inputs; square (default: by the stem).

    Raises:
        CheckpointError: It is no such checkpoint, or the cell is needed or does not fit.
        ConversionError: A number is not finite.
        UsageError: The preprocessing is not square.
    """
    value = load_bytes(file.path, file.data)
    opened = open_release(str(file.path), value, held=file.size, arch=arch, entry=entry)
    pixels, pixels_note = preprocessing_for(opened.layout.dataset, preprocessing)
    release = check_release(opened, pixels.crop[0])
    names, names_note = labels_for(release.config, labels)
    return release_source(
        release,
        labels=names,
        preprocessing=pixels,
        facts={"source": file.facts},
        notes=(names_note, pixels_note),
    )


def open_release(
    source: str,
    value: object,
    *,
    held: int,
    arch: Arch | None = None,
    entry: str | None = None,
) -> Opened:
    """Find out which network a checkpoint is of.

    Args:
        source: The file's name, for messages.
        value: What `torch.load(..., weights_only=True)` gave.
        held: Bytes of the file.
        arch: The cell, if the user names one.
        entry: Of the file, if the user names one.

    Raises:
        CheckpointError: It is no such checkpoint, or the cell is needed or does not fit.
    """
    found = find_weights(source, value, entry)
    shapes = {name: tuple(tensor.shape) for name, tensor in found.tensors.items()}
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


def release_source(
    release: Release,
    *,
    labels: tuple[str, ...],
    preprocessing: Preprocessing,
    facts: Mapping[str, Any] | None = None,
    notes: tuple[str, ...] = (),
) -> Source:
    """Return the source of a checked checkpoint.

    Args:
        release: From `check_release`.
        labels: One per class.
        preprocessing: How pictures become inputs.
        facts: To store beside those of the network.
        notes: What to tell beside how it was read.
    """
    made = release_graph(release.weights, release.config)
    reasons = {**usual_reasons(made.graph), **made.floats}
    statistics = ("running_mean", "running_var")
    parameters = [w for name, w in release.weights.items() if not name.endswith(statistics)]
    own = {
        "ignored": [asdict(entry) for entry in release.ignored],
        "float_weights": dict(made.floats),
    }
    return Source(
        graph=made.graph,
        name=release.config.name,
        parameters=sum(tensor.numel() for tensor in parameters),
        original=Original(
            partial(_torch_logits, release),
            PYTORCH,
            Inside(made.layers, partial(_torch_values, release)),
        ),
        labels=labels,
        preprocessing=preprocessing,
        facts={**config_facts(release.config), "release": own, **(facts or {})},
        reasons=reasons,
        layers=network_layers(made.graph, reasons),
        exact=frozenset(made.floats),
        notes=(*release.notes, *notes),
        paper=paper_of(release.config),
    )


def _torch_logits(release: Release, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    logits = release_logits(release.weights, release.config.genotype, torch.from_numpy(images))
    return np.asarray(logits.numpy(), np.float32)


def _torch_values(
    release: Release, images: npt.NDArray[np.float32], names: Sequence[str]
) -> dict[str, npt.NDArray[np.float32]]:
    """What BatchNorms and binary units make, by name; without those that do not run."""
    seen: dict[str, Tensor] = {}
    release_logits(release.weights, release.config.genotype, torch.from_numpy(images), seen)
    return {name: np.asarray(seen[name].numpy(), np.float32) for name in names if name in seen}
