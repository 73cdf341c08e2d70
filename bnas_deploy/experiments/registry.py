"""All experiments, found by name or by the tables and figures that they answer."""

from __future__ import annotations

from bnas_deploy.errors import UsageError
from bnas_deploy.experiments.definition import Computed, Experiment
from bnas_deploy.experiments.questions.backbones import BACKBONE_NETWORKS
from bnas_deploy.experiments.questions.costs import TABLE5, TABLE10, TABLE13
from bnas_deploy.experiments.questions.frontier import FRONTIER
from bnas_deploy.experiments.questions.recipes import RECIPE_QUESTION
from bnas_deploy.experiments.questions.shortcuts import SHORTCUT_QUESTION
from bnas_deploy.experiments.questions.table01 import TABLE1
from bnas_deploy.experiments.questions.table02 import TABLE2
from bnas_deploy.experiments.questions.table04 import TABLE4
from bnas_deploy.experiments.questions.table06 import TABLE6
from bnas_deploy.experiments.questions.table08 import TABLE8
from bnas_deploy.experiments.questions.table11 import TABLE11
from bnas_deploy.experiments.questions.table12 import TABLE12
from bnas_deploy.shown import unknown_name

__all__ = ["EXPERIMENTS", "find"]

EXPERIMENTS: dict[str, Experiment | Computed] = {
    experiment.name: experiment
    for experiment in (
        *(SHORTCUT_QUESTION, RECIPE_QUESTION, FRONTIER, TABLE1, TABLE2, TABLE4, TABLE5, TABLE6),
        *(BACKBONE_NETWORKS, TABLE8),
        *(TABLE10, TABLE11, TABLE12, TABLE13),
    )
}
"""In the order of the page."""


def find(name: str) -> Experiment | Computed:
    """Return an experiment by its name, or by a table or figure such as `table7` or `fig4`.

    Raises:
        UsageError: There is none.
    """
    for experiment in EXPERIMENTS.values():
        answers = [
            answer.lower().replace(" ", "").replace(".", "") for answer in experiment.answers
        ]
        if name.lower() in (experiment.name, *answers):
            return experiment
    raise UsageError(unknown_name("experiment", name, EXPERIMENTS) + ", or a figure")
