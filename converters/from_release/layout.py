"""What the names and shapes of the authors' checkpoints say about a network.

A checkpoint of the release is a plain state_dict. Cells, C, classes, kind of stem, reduction cells
and the kernels of the edges are in it; dilations, sources, pools and Zeroise edges are not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bnas_deploy.errors import CheckpointError
from bnas_deploy.nn.genotype import Edge, Genotype

__all__ = ["Layout", "Shape", "edge_kernels", "infer_layout", "looks_released"]

Shape = tuple[int, ...]

STEMS = {"cifar10": "stem.op.0.weight", "imagenet": "stem1.1.weight"}
STEM_MULTIPLIER = 3
CLASSIFIER = "classifier.weight"

_CELL = re.compile(r"cells\.(\d+)\.(.+)")
_EDGE = re.compile(r"_ops\.(\d+)\.op\.0\.weight")
_KERNELS = {
    "none": None,
    "max_pool_3x3": None,
    "avg_pool_3x3": None,
    "bin_conv_3x3": 3,
    "bin_conv_5x5": 5,
    "bin_dil_conv_3x3": 3,
    "bin_dil_conv_5x5": 5,
}
MOST_CELLS = 1000


@dataclass(frozen=True)
class Layout:
    """What can be read off a checkpoint.

    Attributes:
        dataset: Kind of stem, `cifar10` or `imagenet`.
        layers: Number of cells.
        channels: C, of a node of the first cells.
        classes: Outputs of the classifier.
        reductions: Indices of the cells with a shortcut.
        normal: Kernel size of each edge (0 to 7) of a normal cell that is a convolution.
        reduce: The same of a reduction cell.
    """

    dataset: str
    layers: int
    channels: int
    classes: int
    reductions: tuple[int, ...]
    normal: Mapping[int, int]
    reduce: Mapping[int, int]


def looks_released(names: object) -> bool:
    """Whether something with these names is laid out as the release's weights are."""
    return (
        isinstance(names, Mapping)
        and CLASSIFIER in names
        and any(isinstance(name, str) and _CELL.fullmatch(name) for name in names)
    )


def edge_kernels(edges: tuple[Edge, ...]) -> dict[int, int] | None:
    """Return the kernel size of each convolution among a cell's edges.

    None if the cell has a primitive that is not in the paper's search space.
    """
    if any(name not in _KERNELS for name, _ in edges):
        return None
    sizes = {j: _KERNELS[name] for j, (name, _) in enumerate(edges)}
    return {j: size for j, size in sizes.items() if size is not None}


def fits(layout: Layout, genotype: Genotype) -> bool:
    """Whether the convolutions of both cells are where the checkpoint has weights for them."""
    found = (dict(layout.normal), dict(layout.reduce))
    return found == (edge_kernels(genotype.normal), edge_kernels(genotype.reduce))


def infer_layout(source: str, shapes: Mapping[str, Shape]) -> Layout:
    """Read the layout off names and shapes; every shape is checked later, against the network.

    Args:
        source: What the names come from, for the messages.
        shapes: Of each tensor.

    Raises:
        CheckpointError: The names are not those of such a network.
    """
    dataset = _dataset(source, shapes)
    cells = _cells(source, shapes)
    first = _shape(source, shapes, STEMS[dataset], 4)[0]
    channels = first // STEM_MULTIPLIER if dataset == "cifar10" else first
    reductions = tuple(i for i, names in enumerate(cells) if "preprocess_res.1.weight" in names)
    _check_reductions(source, len(cells), reductions)
    kernels = [_kernels(source, index, names) for index, names in enumerate(cells)]
    normal = [i for i in range(len(cells)) if i not in reductions]
    return Layout(
        dataset=dataset,
        layers=len(cells),
        channels=channels,
        classes=_shape(source, shapes, CLASSIFIER, 2)[0],
        reductions=reductions,
        normal=_common(source, "normal", {i: kernels[i] for i in normal}),
        reduce=_common(source, "reduction", {i: kernels[i] for i in reductions}),
    )


def _dataset(source: str, shapes: Mapping[str, Shape]) -> str:
    found = [dataset for dataset, name in STEMS.items() if name in shapes]
    if len(found) != 1:
        what = "both" if found else "neither"
        msg = (
            f"{source}: expected the stem of a CIFAR-10 network ({STEMS['cifar10']}) or of an"
            f" ImageNet network ({STEMS['imagenet']}); found {what}"
        )
        raise CheckpointError(msg)
    return found[0]


def _cells(source: str, shapes: Mapping[str, Shape]) -> list[dict[str, Shape]]:
    """The tensors of each cell by their names within it."""
    found: dict[int, dict[str, Shape]] = {}
    for name, shape in shapes.items():
        match = _CELL.fullmatch(name)
        if match and len(match[1]) <= len(str(MOST_CELLS)):
            found.setdefault(int(match[1]), {})[match[2]] = shape
    gaps = [index for index in range(len(found)) if index not in found]
    if gaps or not 3 <= len(found) <= MOST_CELLS:
        msg = (
            f"{source}: expected cells.0, cells.1 and so on, at least 3 and at most {MOST_CELLS};"
            f" found {len(found)}{f', and cells.{gaps[0]} is missing' if gaps else ''}"
        )
        raise CheckpointError(msg)
    return [found[index] for index in range(len(found))]


def _shape(source: str, shapes: Mapping[str, Shape], name: str, dimensions: int) -> Shape:
    shape = shapes.get(name)
    if shape is None or len(shape) != dimensions or min(shape) < 1:
        found = "nothing" if shape is None else f"shape {list(shape)}"
        msg = f"{source}: {name}: expected a tensor of {dimensions} dimensions; got {found}"
        raise CheckpointError(msg)
    return shape


def _check_reductions(source: str, layers: int, found: tuple[int, ...]) -> None:
    expected = (layers // 3, 2 * layers // 3)
    if found != expected:
        msg = (
            f"{source}: of {layers} cells, numbers {expected[0]} and {expected[1]} are reduction"
            " cells, with the shortcut's preprocess_res.1.weight; it is there in cells"
            f" {list(found)}"
        )
        raise CheckpointError(msg)


def _kernels(source: str, index: int, names: Mapping[str, Shape]) -> dict[int, int]:
    kernels = {}
    for name, shape in names.items():
        match = _EDGE.fullmatch(name)
        if match is None:
            continue
        where = f"cells.{index}.{name}"
        _, _, height, width = _shape(source, {where: shape}, where, 4)
        if height != width:
            msg = f"{source}: {where}: expected a square kernel; got shape {list(shape)}"
            raise CheckpointError(msg)
        kernels[int(match[1])] = height
    return dict(sorted(kernels.items()))


def _common(source: str, kind: str, kernels: Mapping[int, dict[int, int]]) -> dict[int, int]:
    """The kernels that all cells of a kind share."""
    first, *others = kernels
    for index in others:
        if kernels[index] != kernels[first]:
            msg = (
                f"{source}: the {kind} cells differ: cells.{first} has"
                f" {edges_text(kernels[first])}, cells.{index} has {edges_text(kernels[index])}"
            )
            raise CheckpointError(msg)
    return kernels[first]


def edges_text(kernels: Mapping[int, int]) -> str:
    """Say where a cell's convolutions are: `3x3 at edges 1, 2`."""
    parts = []
    for size in sorted(set(kernels.values())):
        edges = ", ".join(str(j) for j, kernel in kernels.items() if kernel == size)
        parts.append(f"{size}x{size} at edges {edges}")
    return "convolutions " + " and ".join(parts) if parts else "no convolution"
