"""Writes figures of matplotlib as SVG whose text can be compared from run to run.

Colours are those of Okabe and Ito, told apart by colour-blind readers too.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from bnas_deploy import atomic

__all__ = ["COLOURS", "write_svg"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#000000", "#999999")
STYLE: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "bnas", "font.size": 9}


def write_svg(path: Path, draw: Callable[[], Figure | None]) -> bool:
    """Draw and write a picture; return whether there was something to draw."""
    with mpl.rc_context(STYLE):
        figure = draw()
        if figure is None:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        svg = io.StringIO()
        figure.savefig(svg, format="svg", metadata={"Date": None})
    # Matplotlib leaves spaces at the ends of lines.
    lines = svg.getvalue().splitlines()
    atomic.write_text(path, "\n".join(line.rstrip() for line in lines) + "\n")
    return True
