"""The options of bnas-train and bnas-search that say where to compute."""

from __future__ import annotations

import argparse

from bnas_deploy.extras import how_to_install

__all__ = ["add_machine", "add_threads_and_seed"]


def add_machine(group: argparse._ArgumentGroup) -> None:
    """Add --device, --amp and --fused."""
    group.add_argument(
        "--device",
        default="auto",
        choices=("auto", "cpu", "cuda"),
        help="auto: a GPU if there is one",
    )
    group.add_argument(
        "--amp",
        default="auto",
        choices=("auto", "off", "bf16"),
        help="bfloat16 convolutions; auto: where the hardware has them",
    )
    group.add_argument(
        "--fused",
        default="auto",
        choices=("auto", "on", "off"),
        help="BatchNorm and sign in one pass, for a CPU in bfloat16; auto: where numba is installed"
        f" ({how_to_install('numba')}); the first line printed says which way it went",
    )


def add_threads_and_seed(group: argparse._ArgumentGroup) -> None:
    """Add --threads and --seed."""
    group.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: all cores)")
    group.add_argument("--seed", type=int, metavar="N", help="of everything random (default 0)")
