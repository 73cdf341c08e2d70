"""The reliability diagram: how often answers of some confidence are right."""

from __future__ import annotations

from bnas_deploy.evaluation.drawings import svg
from bnas_deploy.evaluation.measures import BINS, Measures

__all__ = ["calibration"]

SIDE, EDGE = 300, 50


def calibration(measures: Measures) -> str:
    """Return an SVG: bars of accuracy by confidence; on the dashed line both are the same."""
    shapes = [svg.line(EDGE, EDGE + SIDE, EDGE + SIDE, EDGE, dashes="4 4")]
    width = SIDE / BINS
    for one in measures.bins:
        tall = one.accuracy * SIDE
        x, y = EDGE + one.low * SIDE, EDGE + SIDE - tall
        tip = f"{one.count} answers: {one.confidence:.0%} confident, {one.accuracy:.0%} right"
        strength = 0.25 + 0.65 * one.count / measures.count
        shapes.append(svg.rectangle(x, y, width - 1, tall, "#2a78b8", opacity=strength, tip=tip))
    shapes += [
        svg.line(EDGE, EDGE, EDGE, EDGE + SIDE),
        svg.line(EDGE, EDGE + SIDE, EDGE + SIDE, EDGE + SIDE),
        svg.text(EDGE + SIDE / 2, EDGE + SIDE + 38, "confidence"),
        svg.text(14, EDGE + SIDE / 2, "share that is right", turned=True),
    ]
    for percent in (0, 50, 100):
        place = percent / 100 * SIDE
        shapes.append(svg.text(EDGE + place, EDGE + SIDE + 18, f"{percent}%", size=11))
        shapes.append(
            svg.text(EDGE - 6, EDGE + SIDE - place + 4, f"{percent}%", anchor="end", size=11)
        )
    return svg.drawing(SIDE + 2 * EDGE, SIDE + 2 * EDGE, "reliability diagram", shapes)
