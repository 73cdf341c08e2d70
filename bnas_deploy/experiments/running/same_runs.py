"""Rows that other experiments share with Table 8, so that nothing is trained twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bnas_deploy.experiments.definition import Cells, Variant
from bnas_deploy.experiments.questions.table08 import TABLE8

__all__ = ["ablation"]


def ablation(
    budget: str,
    cells: Cells,
    name: str,
    *,
    label: str,
    paper: Mapping[str, str],
    size: str = "A",
    facts: Mapping[str, str] | None = None,
) -> Variant:
    """Return a variant of Table 8 under another label.

    Args:
        budget: One of `BUDGETS`.
        cells: Genotypes given as files.
        name: Of the ablation, such as `full`.
        label: On the page.
        paper: The paper's values.
        size: Letter of the network under `paper`.
        facts: Further columns.
    """
    wanted = f"{size}-{name}" if budget == "paper" else name
    (found,) = [v for v in TABLE8.variants(budget, cells) if v.name == wanted]
    return replace(found, label=label, paper=paper, home=TABLE8.name, facts=facts or {})
