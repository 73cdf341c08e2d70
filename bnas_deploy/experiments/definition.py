"""What an experiment is made of: variants, metrics and set-ups.

An `Experiment` trains or measures networks; a `Computed` one is arithmetic, done when it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bnas_deploy.networks.config import AnyConfig
from bnas_deploy.nn.genotype import Genotype
from bnas_deploy.training.recipes.recipe import Recipe

if TYPE_CHECKING:
    from bnas_deploy.experiments.results import Results
    from bnas_deploy.training.data.images import ImageData
    from bnas_deploy.training.model.trained_model import TrainedModel

__all__ = [
    "BUDGETS",
    "TEST_ACCURACY",
    "TRAIN_ACCURACY",
    "Cells",
    "Computed",
    "Experiment",
    "Measure",
    "Metric",
    "OnMachine",
    "Picture",
    "Setup",
    "Table",
    "Variant",
]

BUDGETS = ("smoke", "cpu", "paper")
"""Seconds on generated images; minutes to an hour on two cores; the paper's full recipe."""

Cells = Mapping[str, Genotype]
"""Genotypes given as files, by the names that variants ask for."""

Measure = Callable[["TrainedModel", "ImageData"], dict[str, float]]
"""Measures a trained network further, on the images that it was trained with."""


@dataclass(frozen=True)
class Metric:
    """A number that every job of an experiment gives.

    Attributes:
        name: In the results.
        title: On the page.
        unit: `%` (shares between 0 and 1 are shown in percent) or something to write behind.
    """

    name: str
    title: str
    unit: str = "%"


TEST_ACCURACY = Metric("test_accuracy", "test accuracy")
TRAIN_ACCURACY = Metric("train_accuracy", "train accuracy")


@dataclass(frozen=True)
class Setup:
    """How a network is made and trained.

    Attributes:
        network: What it is; its number of classes is that of the data.
        recipe: How it is trained.
        binary: False trains the float counterpart.
        gradients: Whether to record how large the gradients are.
        train_images: How many training images, spread evenly, are used; None: all.
        test_images: Likewise.
        amp: Precision of the convolutions, as for `bnas-train --amp`.
    """

    network: AnyConfig
    recipe: Recipe
    binary: bool = True
    gradients: bool = False
    train_images: int | None = None
    test_images: int | None = None
    amp: str = "auto"


@dataclass(frozen=True)
class Variant:
    """One row of a table.

    Attributes:
        name: In folders and results.
        label: On the page.
        setup: How it is trained; None if it is not.
        needs: What must be given for it to run: `cell NAME` (a genotype file) or nothing.
        home: Experiment in whose folder it lies, if another one trains the same.
        paper: The paper's value of a metric, as it is printed.
        facts: Further columns, such as what the paper says or what was computed.
        shipped: Whether a model file is evaluated instead of training a network.
        given: A model file that was trained elsewhere, in place of a training.
    """

    name: str
    label: str
    setup: Setup | None = None
    needs: str = ""
    home: str = ""
    paper: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    shipped: bool = False
    given: Path | None = None


@dataclass(frozen=True)
class Picture:
    """A plot of results.

    Attributes:
        name: Of the file, without its ending.
        kind: One of `plots.PLOTS`.
        caption: Says what is to be seen, and what the paper shows.
        variants: Which are drawn; all if empty.
    """

    name: str
    kind: str
    caption: str
    variants: tuple[str, ...] = ()


OnMachine = Callable[[str, Path, Mapping[str, Setup], Callable[[str], None]], None]
"""Takes a budget, the experiment's folder, all set-ups by variant, and whom to tell of it."""


@dataclass(frozen=True)
class Experiment:
    """Variants that are trained under the same budget.

    Attributes:
        name: On the command line.
        title: On the page.
        answers: The tables and figures of the paper.
        question: What it is to find out.
        metrics: What the table shows.
        variants: Makes the variants for a budget from the cells that were given.
        seeds: By budget.
        notes: How the numbers come about, and what differs from the paper.
        pictures: Drawn of the results.
        measure: Measures each trained network further.
        compare: Measures all of them together, once; gives plain JSON values.
        tables: Further tables of the results.
        hours: Of each training by budget, where the clock ends it; the user may give others, and
            models that were trained elsewhere. None: epochs count.
        on_machine: Measures what depends on the machine, once on each kind.
    """

    name: str
    title: str
    answers: tuple[str, ...]
    question: str
    metrics: tuple[Metric, ...]
    variants: Callable[[str, Cells], tuple[Variant, ...]]
    seeds: Mapping[str, tuple[int, ...]]
    notes: str = ""
    pictures: tuple[Picture, ...] = ()
    measure: Measure | None = None
    compare: Callable[[str], dict[str, dict[str, float]]] | None = None
    tables: Callable[[Results], list[Table]] | None = None
    hours: Mapping[str, float] | None = None
    on_machine: OnMachine | None = None


@dataclass(frozen=True)
class Table:
    """Cells of text.

    Attributes:
        heads: One a column.
        rows: As wide.
        title: Above it; may be empty.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""


@dataclass(frozen=True)
class Computed:
    """A table that follows from the networks' definitions.

    Attributes:
        name: On the command line.
        title: On the page.
        answers: The tables of the paper.
        question: What it is to find out.
        tables: Computes them.
        notes: What agrees with the paper and what does not.
    """

    name: str
    title: str
    answers: tuple[str, ...]
    question: str
    tables: Callable[[], list[Table]]
    notes: str = ""
