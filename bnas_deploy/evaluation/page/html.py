"""The page as text: numbers first, then classes, confusions, calibration and mistakes."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from bnas_deploy.evaluation.drawings.calibration import calibration
from bnas_deploy.evaluation.drawings.confusion import MOST_CLASSES, confusion
from bnas_deploy.evaluation.drawings.photographs import thumbnail
from bnas_deploy.evaluation.measures import Measures, interval
from bnas_deploy.evaluation.outcomes import Mistake, Outcomes
from bnas_deploy.evaluation.page.tables import class_table, confused_table, plain

__all__ = ["page"]

STYLE = """\
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
.accuracy { font-size: 2.5rem; margin: 0; }
table { border-collapse: collapse; }
th, td { text-align: left; padding: 0.2rem 0.9rem 0.2rem 0; border-bottom: 1px solid #8884; }
td + td { font-variant-numeric: tabular-nums; }
.mistakes { display: flex; flex-wrap: wrap; gap: 0.8rem; padding: 0; list-style: none; }
.mistakes li { width: 7.5rem; font-size: 0.8rem; line-height: 1.3; overflow-wrap: anywhere; }
.mistakes img { display: block; width: 96px; height: 96px; object-fit: contain; }
.drawing { overflow-x: auto; }
svg { max-width: 100%; height: auto; }
"""

CONFIDENT = (
    "How often answers of some confidence are right. On the dashed line a network knows how sure it"
    " may be; bars below it are overconfident. Stronger bars stand for more answers."
)


def page(title: str, facts: Mapping[str, str], outcomes: Outcomes, measures: Measures) -> str:
    """Return the whole page.

    Args:
        title: Its heading.
        facts: What was evaluated and how, for the table at its end.
        outcomes: The answers.
        measures: Of those.
    """
    parts = [
        f"<h1>{plain(title)}</h1>",
        *_accuracy(measures, outcomes),
        "<h2>Classes</h2>",
        class_table(measures),
        "<h2>What is taken for what</h2>",
        confused_table(measures),
        *_matrix(measures),
        "<h2>Calibration</h2>",
        f"<p>{CONFIDENT}</p>",
        f'<div class="drawing">{calibration(measures)}</div>',
        f"<p>Expected calibration error: {measures.calibration_error:.1%}.</p>",
        *_mistakes(outcomes),
        "<h2>How this was measured</h2>",
        "<dl>",
        *(f"<dt>{plain(key)}</dt><dd>{plain(value)}</dd>" for key, value in facts.items()),
        "</dl>",
    ]
    head = f"<title>{plain(title)}</title>\n<style>\n{STYLE}</style>"
    meta = '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">'
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en">\n{meta}\n{head}\n<body>\n{body}\n</body>\n</html>\n'


def _accuracy(measures: Measures, outcomes: Outcomes) -> list[str]:
    low, high = interval(measures.right, measures.count)
    between = f"95% interval {low:.2%} to {high:.2%}"
    lines = [
        f'<p class="accuracy">{measures.accuracy:.2%}</p>',
        f"<p>of {measures.count:,} pictures are named right ({between}).</p>",
    ]
    if measures.top_5 is not None:
        share = measures.top_5 / measures.count
        lines.append(f"<p>In {share:.2%} the right class is among the best five.</p>")
    if outcomes.unreadable:
        names = "".join(
            f"<li>{plain(name)}: {plain(why)}</li>" for name, why in outcomes.unreadable.items()
        )
        lines.append(f"<p>Not counted, as they cannot be read:</p><ul>{names}</ul>")
    return lines


def _matrix(measures: Measures) -> list[str]:
    if len(measures.classes) > MOST_CLASSES:
        return ["<p>All pairs are in confusion.csv.</p>"]
    return [f'<div class="drawing">{confusion(measures)}</div>']


def _mistakes(outcomes: Outcomes) -> list[str]:
    head = ["<h2>The most confident mistakes</h2>"]
    if not outcomes.mistakes:
        return [*head, "<p>There are none.</p>"]
    items = [_mistake(mistake, outcomes.labels) for mistake in outcomes.mistakes]
    return [*head, '<ul class="mistakes">', *items, "</ul>"]


def _mistake(mistake: Mistake, labels: tuple[str, ...]) -> str:
    data = base64.b64encode(thumbnail(mistake.pixels)).decode("ascii")
    named, truth = plain(labels[mistake.predicted]), plain(labels[mistake.truth])
    image = f'<img src="data:image/png;base64,{data}" alt="{truth}, named {named}">'
    words = f"<b>{named}</b> ({mistake.confidence:.0%}), but it is <b>{truth}</b>"
    return f"<li>{image}{words}<br>{plain(mistake.name)}</li>"
