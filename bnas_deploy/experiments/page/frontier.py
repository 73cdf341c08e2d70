"""Renders the page of the frontier, docs/frontier.md, from stored JSON."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from bnas_deploy import atomic
from bnas_deploy.experiments.frontier.machine_file import FOLDER as MACHINES
from bnas_deploy.experiments.frontier.machine_file import MachineResults, read_all
from bnas_deploy.experiments.frontier.points import Point, trained_points
from bnas_deploy.experiments.frontier.published import PUBLISHED, SOURCES
from bnas_deploy.experiments.page.frontier_dots import (
    Measure,
    megabytes,
    milliseconds,
    published_dots,
    trained_dots,
)
from bnas_deploy.experiments.page.frontier_method import method_lines
from bnas_deploy.experiments.page.frontier_plot import Dot, draw_frontier
from bnas_deploy.experiments.page.frontier_tables import (
    binary_table,
    counterparts,
    rival_table,
    target_table,
    trained_table,
)
from bnas_deploy.experiments.page.markdown import table_lines, wrapped
from bnas_deploy.experiments.page.svg import write_svg
from bnas_deploy.experiments.results import Results

__all__ = ["PAGE", "render_frontier", "store_machines"]

Dots = Callable[[MachineResults, Measure], list[Dot]]
PAGE, FOLDER = "frontier.md", "frontier"

HEAD = (
    "For readers who choose a network: accuracy on CIFAR-10 against the time of one image and"
    " against the bytes of a file, for packed binary networks and for small networks that people"
    " deploy in int8. `bnas-report render` writes this page from the JSON files in `frontier/`, one"
    " for each kind of machine, and from the trainings in `results/`;"
    " [experiments.md](experiments.md#the-frontier) says how to measure another machine."
    " [When should I use this?](when.md) draws the conclusions."
)
PUBLISHED_TEXT = (
    "Every accuracy is that of the network's source, which trained it by its own full recipe on the"
    " lossless images; times and bytes are measured here, with random weights. Binary networks are"
    " packed with stem, shortcuts and classifier in 8 bits; the accuracy of those with `pool1x1` is"
    " the paper's for its own shortcut. **Accuracies in int8 are assumed to be those in float32.**"
    " The sources used recipes of different years and lengths, so small differences say little."
)
TRAINED_TEXT = (
    "Trained with this project's recipes, a few hours each, on the same pictures; the accuracy is"
    " measured after quantization, of the packed file or of the int8 network. Short trainings"
    " favour networks that learn fast: compare points of equal hours only."
)
COUNTERPART_TEXT = (
    "The float network of the same cell is what papers compare with, this project's"
    " [page on theirs](results.md) too. Nobody would deploy it: it computes as many multiplications"
    " as the binary network has binary ones. It is no rival on the pictures above."
)


def store_machines(results: Path, out: Path, name: str) -> None:
    """Copy what machines measured, `<results>/<name>/machines/*.json`, beside that of other kinds.

    Raises:
        DataError: A file is damaged.
    """
    folder = results / name / MACHINES
    for found in read_all(folder):
        (out / FOLDER).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / f"{found.column}.json", out / FOLDER / f"{found.column}.json")


def render_frontier(out: Path, trained: Sequence[Results]) -> Path:
    """Write the page and its pictures.

    Args:
        out: Folder of the page; what machines measured is in its folder `frontier`.
        trained: Results of the trainings, of any budgets.

    Returns:
        The page.

    Raises:
        DataError: A stored file is damaged.
    """
    machines = read_all(out / FOLDER)
    points = [point for results in trained for point in trained_points(results)]
    lines = [
        *("# The frontier", "", *wrapped(HEAD), ""),
        *("## At published accuracies", "", *wrapped(PUBLISHED_TEXT), ""),
        *_pictures(out, "published", machines, published_dots),
    ]
    for found in machines:
        lines += [f"### {found.label}", "", *_machine(found)]
    lines += [*_sources(), *_trained(out, machines, points), *_counterparts(machines)]
    lines += ["## How it is measured", "", *method_lines(machines)]
    atomic.write_text(out / PAGE, "\n".join(lines).rstrip("\n") + "\n")
    return out / PAGE


def _machine(found: MachineResults) -> Iterator[str]:
    cpu = found.machine.get("cpu", "unknown CPU")
    yield from wrapped(f"{cpu}; {found.date}; {found.rounds} rounds.")
    yield ""
    yield from table_lines(target_table(found))
    yield from table_lines(binary_table(found))
    rivals = rival_table(found)
    if any(facts["times"] for facts in found.networks.values() if not facts["binary"]):
        yield from table_lines(rivals)
    yield from _left_out(found)


def _left_out(found: MachineResults) -> Iterator[str]:
    """What was to be measured and was not, with the reasons."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for facts in found.networks.values():
        for engine, reason in facts["left_out"].items():
            reasons.setdefault((engine, reason), []).append(str(facts["label"]))
    for (engine, reason), labels in reasons.items():
        yield from wrapped(f"- Left out: {engine} on {', '.join(labels)}: {reason}.", "  ")
    if reasons:
        yield ""


def _pictures(
    out: Path, name: str, machines: Sequence[MachineResults], dots: Dots
) -> Iterator[str]:
    """Time, a panel for each kind of machine that has rivals, and bytes."""
    axes: tuple[tuple[str, str, Measure], ...] = (
        ("latency", "milliseconds an image, one thread, fastest engine", milliseconds),
        ("bytes", "megabytes of the file, smallest format", megabytes),
    )
    for axis, xlabel, measure in axes:
        panels = {m.label: dots(m, measure) for m in machines if _has_rivals(m)}
        if axis == "bytes":  # files are the same everywhere
            panels = dict(zip([""], panels.values(), strict=False))
        file = f"{name}-{axis}.svg"
        if write_svg(out / FOLDER / file, partial(draw_frontier, panels, xlabel)):
            yield from (f"![Accuracy against {axis}]({FOLDER}/{file})", "")


def _has_rivals(found: MachineResults) -> bool:
    return any(facts["times"] for facts in found.networks.values() if not facts["binary"])


def _sources() -> Iterator[str]:
    yield from ("### Sources of the accuracies", "")
    for key, text in SOURCES.items():
        labels = [network.label for network in PUBLISHED if network.source == key]
        yield from wrapped(f"- {', '.join(labels)}: {text}.", "  ")
    without = [network.label for network in PUBLISHED if network.accuracy is None]
    yield from wrapped(
        f"- {', '.join(without)}: no source for CIFAR-10 was found; they are in the tables, not on"
        " the pictures.",
        "  ",
    )
    yield ""


def _trained(
    out: Path, machines: Sequence[MachineResults], points: Sequence[Point]
) -> Iterator[str]:
    yield from ("## As trained here", "")
    if not points:
        yield from (*wrapped("**Not run.** " + TRAINED_TEXT), "")
        return
    yield from (*wrapped(TRAINED_TEXT), "")
    yield from _pictures(out, "trained", machines, partial(trained_dots, points))
    yield from table_lines(trained_table(points, machines))


def _counterparts(machines: Sequence[MachineResults]) -> Iterator[str]:
    yield from ("## Float counterparts", "", *wrapped(COUNTERPART_TEXT), "")
    for found in machines:
        table = counterparts(found)
        if table.rows and _has_rivals(found):
            yield from (f"{found.label}:", "", *table_lines(table))
