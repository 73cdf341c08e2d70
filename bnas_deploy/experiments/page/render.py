"""Renders the page of results, docs/results.md, and that of the frontier, from stored JSON."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from bnas_deploy import atomic
from bnas_deploy.errors import UsageError
from bnas_deploy.experiments.definition import (
    BUDGETS,
    Computed,
    Experiment,
    Metric,
    Table,
    Variant,
)
from bnas_deploy.experiments.page.frontier import render_frontier, store_machines
from bnas_deploy.experiments.page.markdown import table_lines, wrapped
from bnas_deploy.experiments.page.plots import draw
from bnas_deploy.experiments.registry import EXPERIMENTS
from bnas_deploy.experiments.results import (
    DONE,
    FAILED,
    NOT_RUN,
    Results,
    percent,
    read_results,
    spread,
)
from bnas_deploy.experiments.running.runner import results_path
from bnas_deploy.experiments.stated import budget_lines
from bnas_deploy.nn.genotype import Genotype

__all__ = ["PAGE", "render"]

PAGE, FOLDER = "results.md", "results"
FRONTIER = "frontier"
"""The experiment that has a page of its own."""

HEAD = (
    "The tables and figures of *Learning Architectures for Binary Networks* (ECCV 2020) beside what"
    " was measured here. This page is written by `bnas-report render` from the JSON files in"
    " `results/`; [experiments.md](experiments.md) says how to run the missing experiments."
    " Each section states its budget: `cpu` is a small network and a short training, whose"
    " accuracies can only be compared with each other, not with the paper's; `paper` is the paper's"
    " recipe. Accuracies are in percent: mean, ± the standard deviation over seeds, and how many."
)

UNCHECKED = (
    "Results before 2026-11-30 are of trainings whose convolutions were not yet checked (see [the"
    " check](training.md#arithmetic-that-is-checked)). They ran in bfloat16 on a Xeon with AMX; the"
    " fault that the check finds has been met on processors without AMX only."
)


def render(out: Path, results: Path | None = None) -> tuple[Path, Path]:
    """Write the pages and their pictures.

    Args:
        out: Folder of the pages; stored results and pictures are in its folder `results`, those of
            machines in `frontier`.
        results: Folder whose results (`<experiment>-<budget>.json`) are stored there first.

    Returns:
        The page of results and that of the frontier.

    Raises:
        UsageError: `results` is not a folder.
        DataError: A stored file is damaged.
    """
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    if results is not None:
        _store(results, folder)
    found = {name: _read(folder, name) for name in EXPERIMENTS}
    parts = [["# Results", "", *wrapped(HEAD), "", *wrapped(UNCHECKED), "", *_overview(found)]]
    for experiment in EXPERIMENTS.values():
        parts.append([f"## {', '.join(_names(experiment))}: {experiment.title}", ""])
        parts.append([*wrapped(experiment.question), ""])
        if isinstance(experiment, Computed):
            parts += [table_lines(table) for table in experiment.tables()]
        else:
            parts.append(list(_sections(experiment, found[experiment.name], folder)))
        parts.append([*wrapped(experiment.notes), ""] if experiment.notes else [])
    text = "\n".join(line for part in parts for line in part).rstrip("\n") + "\n"
    atomic.write_text(out / PAGE, text)
    return out / PAGE, render_frontier(out, found[FRONTIER])


def _store(results: Path, folder: Path) -> None:
    if not results.is_dir():
        msg = f"{results}: expected the folder given to bnas-report run --out"
        raise UsageError(msg)
    for name in EXPERIMENTS:
        for budget in BUDGETS:
            path = results_path(results, name, budget)
            if path.exists() and budget != "smoke":  # whose numbers mean nothing
                read_results(path)
                shutil.copyfile(path, folder / path.name)
    for budget in BUDGETS:
        if budget != "smoke":
            store_machines(results, folder.parent, f"{FRONTIER}-{budget}")


def _read(folder: Path, name: str) -> list[Results]:
    """Return the stored results of an experiment, the largest budget first."""
    paths = [results_path(folder, name, budget) for budget in reversed(BUDGETS)]
    return [read_results(path) for path in paths if path.exists()]


def _names(experiment: Experiment | Computed) -> list[str]:
    return [n for n in experiment.answers if n != experiment.name] or ["Ours"]


def _overview(found: dict[str, list[Results]]) -> list[str]:
    rows = []
    for name, experiment in EXPERIMENTS.items():
        state = "computed, exact"
        if isinstance(experiment, Experiment):
            states = [_state(results) for results in found[name]]
            state = "; ".join(states) or "not run"
        rows.append((", ".join(_names(experiment)), experiment.title, f"`{name}`", state))
    return table_lines(Table(("of the paper", "what", "experiment", "state"), tuple(rows)))


def _state(results: Results) -> str:
    count = {s: sum(job.status == s for job in results.jobs) for s in (DONE, FAILED, NOT_RUN)}
    parts = [f"{number} {status}" for status, number in count.items() if number]
    return f"{results.budget}: {', '.join(parts)}"


def _sections(experiment: Experiment, found: Sequence[Results], folder: Path) -> Iterator[str]:
    if not found:
        variants = experiment.variants("paper", {})
        what = "The paper's values" if any(v.paper for v in variants) else "Its variants"
        yield from (f"**Not run.** {what}:", "")
        yield from table_lines(_accuracies(experiment, variants, None))
    for results in found:
        variants = experiment.variants(results.budget, _cells(experiment, results))
        stated = [line for text in budget_lines(results) for line in wrapped(text, "  ")]
        yield from (f"### Budget `{results.budget}`", "", *stated, "")
        extra = experiment.tables(results) if experiment.tables else []
        main = _accuracies(experiment, variants, results)
        for table in extra or [main]:
            yield from table_lines(table)
        yield from _missing(results)
        for picture in experiment.pictures:
            file = draw(picture, results, variants, folder)
            if file is not None:
                yield from (
                    f"![{picture.name}]({FOLDER}/{file})",
                    "",
                    *wrapped(picture.caption),
                    "",
                )


def _cells(experiment: Experiment, results: Results) -> dict[str, Genotype]:
    """The genotypes that were given when the results were made."""
    needs = {v.name: v.needs for v in experiment.variants(results.budget, {})}
    found = {
        needs[name].removeprefix("cell "): setup["network"]["genotype"]
        for name, setup in results.setups.items()
        if needs.get(name, "").startswith("cell ")
    }
    return {name: Genotype.from_text(text) for name, text in found.items()}


def _accuracies(
    experiment: Experiment, variants: Sequence[Variant], results: Results | None
) -> Table:
    """Each metric's value of the paper, where it has one, beside ours."""
    facts = list(dict.fromkeys(name for v in variants for name in v.facts))
    of_paper = [m for m in experiment.metrics if any(m.name in v.paper for v in variants)]
    ours = [m for m in experiment.metrics if m in of_paper or _any(results, variants, m)]
    heads: list[str] = ["network"]
    for metric in ours:
        heads += [f"{metric.title}, paper"] if metric in of_paper else []
        heads.append(metric.title + (", ours" if metric in of_paper else ""))
    rows = []
    for variant in variants:
        row = [variant.label]
        for metric in ours:
            row += [variant.paper.get(metric.name, "-")] if metric in of_paper else []
            row.append(_value(results, variant, metric))
        rows.append((*row, *(variant.facts.get(name, "-") for name in facts)))
    return Table((*heads, *facts), tuple(rows))


def _any(results: Results | None, variants: Sequence[Variant], metric: Metric) -> bool:
    return results is not None and any(results.values(v.name, metric.name) for v in variants)


def _value(results: Results | None, variant: Variant, metric: Metric) -> str:
    values = results.values(variant.name, metric.name) if results is not None else []
    return spread(values, percent) if values else "not run"


def _missing(results: Results) -> list[str]:
    """What failed or was not run, with the reasons."""
    reasons: dict[str, dict[str, list[str]]] = {}
    for job in results.jobs:
        if job.status != DONE:
            text = f"{job.status}: {job.reason}" if job.reason else job.status
            seeds = reasons.setdefault(text, {}).setdefault(job.variant, [])
            seeds.append(str(job.seed))
    found = []
    for text, variants in reasons.items():
        names = (f"`{name}` (seed {', '.join(seeds)})" for name, seeds in variants.items())
        found.append(f"{text}: {', '.join(names)}.")
    return [*(line for text in found for line in wrapped(f"- {text}", "  ")), ""] if found else []
