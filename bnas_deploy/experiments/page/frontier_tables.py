"""The tables of the frontier's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bnas_deploy.experiments.definition import Table
from bnas_deploy.experiments.frontier.entries import COUNTERPARTS
from bnas_deploy.experiments.frontier.lookups import (
    Facts,
    accuracies,
    fastest,
    file_bytes,
    network_of,
    rival_times,
)
from bnas_deploy.experiments.frontier.machine_file import MachineResults
from bnas_deploy.experiments.frontier.points import Point
from bnas_deploy.experiments.frontier.published import PUBLISHED
from bnas_deploy.experiments.results import percent, spread
from bnas_deploy.rivals.files import FILE_ENGINES

__all__ = ["binary_table", "counterparts", "rival_table", "target_table", "trained_table"]

TARGETS: Mapping[str, Mapping[str, float]] = {
    "avx512-vnni": {"bnas-mini-pool1x1": 1.6, "bnas-a-pool1x1": 1.0},
    "avx2": {"bnas-mini-pool1x1": 2.0, "bnas-a-pool1x1": 1.5},
    "scalar": {"bnas-mini-pool1x1": 3.0, "bnas-a-pool1x1": 2.5},
}
"""How many times as fast as the fastest rival of at least the same accuracy, by instruction set."""

JUDGED = (
    *("bnas-mini-pool1x1", "bnas-a-pool1x1", "bnas-b-pool1x1"),
    *("bireal20", "bireal18", "pcnn-16"),
)


def binary_table(found: MachineResults) -> Table:
    """Binary networks with published accuracies."""
    rows = []
    for network in PUBLISHED:
        facts = found.networks.get(network.key)
        if facts is not None and network.binary:
            rows.append((network.label, _accuracy(network.accuracy), _size(facts, "packed"),
                         _time(facts, "packed")))  # fmt: skip
    heads = ("binary network", "published, %", "file, MB", "packed, ms")
    return Table(heads, tuple(rows))


def rival_table(found: MachineResults) -> Table:
    """Float networks with published accuracies, by every engine."""
    engines = [n for n in FILE_ENGINES if any(n in f["times"] for f in found.networks.values())]
    rows = []
    for network in PUBLISHED:
        facts = found.networks.get(network.key)
        if facts is not None and not network.binary:
            times = (_time(facts, name) for name in engines)
            sizes = (_size(facts, "float32"), _size(facts, "int8"))
            rows.append((network.label, _accuracy(network.accuracy), *sizes, *times))
    heads = ("float network", "published, %", "float32, MB", "int8, MB")
    labels = (f"{FILE_ENGINES[name].label}, ms" for name in engines)
    return Table((*heads, *labels), tuple(rows))


def target_table(found: MachineResults) -> Table:
    """Binary networks against the fastest rival of at least the same published accuracy."""
    known, rows = accuracies(), []
    targets = TARGETS.get(found.column.removesuffix("-forced"), {})
    for key in JUDGED:
        facts = found.networks.get(key)
        own = fastest(facts, "packed") if facts else None
        if facts is None or own is None:
            continue
        best = min(rival_times(found, known, known[key]), default=None)
        rows.append(_judged(str(facts["label"]), own[1], best, targets.get(key)))
    heads = ("network", "ms", "fastest rival at least as accurate", "its ms", "times as fast")
    return Table((*heads, "target"), tuple(rows))


def _judged(
    label: str, own: float, best: tuple[float, str, str] | None, target: float | None
) -> tuple[str, ...]:
    if best is None:
        none = "none is measured here"
        return (label, f"{own:.3f}", none, "-", "-", "-")
    ms, network, engine = best
    ratio = ms / own
    goal = "-"
    if target is not None:
        goal = f"{target:.1f}×, {'reached' if ratio >= target else 'missed'}"
    rival = f"{network}, {FILE_ENGINES[engine].label}"
    return (label, f"{own:.3f}", rival, f"{ms:.3f}", f"{ratio:.2f}×", goal)


def trained_table(points: Sequence[Point], machines: Sequence[MachineResults]) -> Table:
    """Trained networks: hours, accuracy as deployed, bytes, and the time on each machine."""
    rows = []
    for point in points:
        own = "packed" if point.binary else "int8"
        found = [network_of(m, point.network, binary=point.binary) for m in machines]
        sizes = [_size(facts, own) for facts in found if facts is not None]
        rows.append(
            (
                point.name,
                spread(point.hours, "{:.2f}".format),
                spread(point.float_accuracies, percent),
                spread(point.accuracies, percent),
                sizes[0] if sizes else "-",
                *(_time(facts, own) if facts is not None else "-" for facts in found),
            )
        )
    heads = ("network", "hours", "PyTorch, %", "as deployed, %", "file, MB")
    return Table((*heads, *(f"{m.label}, ms" for m in machines)), tuple(rows))


def counterparts(found: MachineResults) -> Table:
    """Binary networks beside their own float counterparts."""
    rows = []
    for key in COUNTERPARTS:
        own, twin = found.networks.get(key), found.networks.get(f"{key}-float")
        packed = fastest(own, "packed") if own else None
        if twin is None or packed is None:
            continue
        cells = []
        for precision in ("float32", "int8"):
            best = fastest(twin, precision)
            cells += [
                f"{best[1]:.2f} ({FILE_ENGINES[best[0]].label})" if best else "-",
                f"{best[1] / packed[1]:.1f}×" if best else "-",
            ]
        rows.append((str(own and own["label"]), f"{packed[1]:.3f}", *cells))
    heads = ("network", "packed, ms", "counterpart in float32, ms", "packed is", "in int8, ms")
    return Table((*heads, "packed is"), tuple(rows))


def _accuracy(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _size(facts: Facts, precision: str) -> str:
    size = file_bytes(facts, precision)
    return "-" if size is None else f"{size / 1e6:.3f}"


def _time(facts: Facts, name: str) -> str:
    best = fastest(facts, name)
    return "-" if best is None else f"{best[1]:.3f} ± {best[2]:.3f}"
