"""The few shapes of SVG that the drawings are made of. Text takes the colour of the page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from bnas_deploy.shown import safe

__all__ = ["drawing", "line", "rectangle", "text"]


def drawing(width: int, height: int, title: str, shapes: Sequence[str]) -> str:
    """Return a whole picture of so many pixels, with a title for those who cannot see it."""
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="sans-serif">'
    return "\n".join([head, f"<title>{_plain(title)}</title>", *shapes, "</svg>"]) + "\n"


def rectangle(
    x: float, y: float, width: float, height: float, fill: str, *, opacity: float = 1, tip: str = ""
) -> str:
    """Return a filled rectangle; `tip` shows when the mouse is over it."""
    size = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
    inside = f"<title>{_plain(tip)}</title>" if tip else ""
    return f'<rect {size} fill="{fill}" fill-opacity="{opacity:.3f}">{inside}</rect>'


def line(x1: float, y1: float, x2: float, y2: float, *, dashes: str = "") -> str:
    """Return a thin line, dashed where `dashes` has their lengths."""
    ends = f'x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"'
    return f'<line {ends} stroke="currentColor" stroke-opacity="0.5" stroke-dasharray="{dashes}"/>'


def text(
    x: float,
    y: float,
    content: str,
    *,
    anchor: str = "middle",
    size: int = 12,
    turned: bool = False,
) -> str:
    """Return a line of text; turned, it reads upwards."""
    place = f'x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-size="{size}" fill="currentColor"'
    turn = f' transform="rotate(-90 {x:g} {y:g})"' if turned else ""
    return f"<text {place}{turn}>{_plain(content)}</text>"


def _plain(content: str) -> str:
    return escape(safe(content))
