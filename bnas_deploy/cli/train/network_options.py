"""The options of bnas-train that describe the network, and their help."""

from __future__ import annotations

import argparse

from bnas_deploy.backbones.registry import NETWORKS
from bnas_deploy.nn.config import ACTIVATIONS, CELL_ACTIVATIONS, CONFIGS, SHORTCUTS, SMALL_CONFIGS
from bnas_deploy.nn.genotype import GENOTYPES
from bnas_deploy.nn.stems import STEM_LAYERS

__all__ = ["add_network"]

Group = argparse._ArgumentGroup


def add_network(group: Group) -> None:
    """Add all of them to a group of options."""
    _add_cells(group)
    _add_parts(group)
    _add_schemes(group)
    group.add_argument(
        "--image-size", type=int, metavar="PIXELS", help="resize to it (default: the network's)"
    )


def _add_cells(group: Group) -> None:
    group.add_argument(
        "--config",
        metavar="NAME",
        help=f"network: {', '.join(CONFIGS)} (default: Mini), a faster one of the same cells:"
        f" {', '.join(SMALL_CONFIGS)}, or a binary network of another family:"
        f" {', '.join(NETWORKS)}; or a .json file with a configuration, such as bnas-latency choose"
        " writes",
    )
    group.add_argument(
        "--genotype",
        metavar="NAME|FILE",
        help=f"cells: {', '.join(GENOTYPES)}, or a .json file (default: the network's own)",
    )
    group.add_argument(
        "--channels",
        type=int,
        help="channels of a node (backbones: of the first stage; DenseNet: growth; ResNeXt: of a"
        " group; NiN: of the first convolution) in place of the network's",
    )
    group.add_argument(
        "--layers",
        type=int,
        help="number of cells (backbones: blocks of a stage, at most; NiN has none) in place of the"
        " network's",
    )
    group.add_argument(
        "--reduce-at",
        type=_cell_indices,
        metavar="I,J,...",
        help="which cells, counted from 0, halve the image and double the channels; none: no cell"
        " (default: two, at the thirds of the network)",
    )
    group.add_argument(
        "--widths",
        type=_stage_widths,
        metavar="C,C,...",
        help="channels of a node in each stage of a network of cells: before the first reduction"
        " cell, and from each on (default: C,2C,4C)",
    )
    group.add_argument(
        "--bases",
        type=int,
        help="binary kernels that stand for one (abc-resnet18: 3; pcnn-resnet18: 1)",
    )


def _add_parts(group: Group) -> None:
    group.add_argument(
        "--stem",
        choices=STEM_LAYERS,
        help="what stands before the cells of a network for small images; paper: a 3x3 convolution"
        " with 3 times the channels of a node; narrow: the same with as many as a node; patches: a"
        " 2x2 convolution of stride 2, so that cells begin at half the resolution; overlapping: the"
        " same with windows of 4x4 (default: the network's, mostly paper)",
    )
    group.add_argument(
        "--shortcut",
        choices=SHORTCUTS,
        help="the skip of the two reduction cells; conv: the paper's full-precision 2x2"
        " convolution, most of what a packed network weighs and computes; pool1x1: average pooling"
        " and a 1x1 convolution, a quarter of that; binary: sign and a binary 2x2 convolution;"
        " pool: average pooling and repeated channels, no weights (default: the network's, mostly"
        " conv)",
    )


def _add_schemes(group: Group) -> None:
    group.add_argument(
        "--no-skip",
        dest="skips",
        action="store_const",
        const=False,
        help='no inter-cell skip connections: the "No Skip" ablation (Table 8), and the template'
        " of the float cells (darts_v2, snas_mild, gdas_v1)",
    )
    group.add_argument(
        "--activation-scale",
        action="store_const",
        const=True,
        help="multiply binary convolutions by the activation scale K of Eq. 3, which the paper's"
        " networks leave out",
    )
    group.add_argument(
        "--centre-depthwise",
        action="store_const",
        const=True,
        help="centre the weights of depthwise convolutions over their one input channel like any"
        " other, which makes them zero (the release's rule, taken literally)",
    )
    group.add_argument(
        "--activation",
        choices=ACTIVATIONS,
        help="what stands behind the convolutions of cells; shift: a learned number for each"
        " channel; shift_relu: that and ReLU (default: relu)",
    )
    group.add_argument(
        "--cell-activation",
        choices=CELL_ACTIVATIONS,
        help="what stands behind a cell, skip included (default: none)",
    )
    group.add_argument(
        "--shared-norms",
        action="store_const",
        const=True,
        help="one BatchNorm and sign for all units that read the same value, in place of one each",
    )


def _cell_indices(text: str) -> tuple[int, ...]:
    """Return the indices of cells that a word lists, such as `2,5` or `none`."""
    if text == "none":
        return ()
    try:
        return tuple(int(index) for index in text.split(","))
    except ValueError:
        msg = (
            f"expected indices of cells with commas between them, such as 2,5, or none; got {text}"
        )
        raise argparse.ArgumentTypeError(msg) from None


def _stage_widths(text: str) -> tuple[int, ...]:
    """Return the channels of stages that a word lists, such as `16,24,40`."""
    try:
        return tuple(int(width) for width in text.split(","))
    except ValueError:
        msg = f"expected channels with commas between them, such as 16,24,40; got {text}"
        raise argparse.ArgumentTypeError(msg) from None
