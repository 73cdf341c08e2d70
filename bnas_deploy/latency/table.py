"""A latency table: measured seconds of each kind of step on one engine and machine, as a file."""

from __future__ import annotations

import json
import math
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from bnas_deploy import atomic
from bnas_deploy.checks import check_integer, checked_keys
from bnas_deploy.errors import BnasError, ConfigError, UsageError
from bnas_deploy.latency.keys import StepKey
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.shown import some

__all__ = ["FORMAT", "VERSION", "Coverage", "LatencyTable", "read_table", "write_table"]

FORMAT = "bnas-deploy/latency"
VERSION = 1
NEAREST = 4
"""So many measured points a time between them is made of."""

_FIELDS = ("format", "version", "machine", "covers", "overhead_seconds", "agreement", "steps")


@dataclass(frozen=True)
class Coverage:
    """For which networks a table was made.

    Attributes:
        primitives: Names of the primitives on their edges.
        widths: Channels of a node, ascending; times between two are interpolated.
        image_size: Pixels of the images.
        dataset: Kind of stem.
        shortcuts: Kinds of shortcuts of reduction cells.
        stems: Kinds of stems.
        eight_bit: Kinds of layers that are packed in 8 bits.
    """

    primitives: tuple[str, ...]
    widths: tuple[int, ...]
    image_size: int
    dataset: str
    shortcuts: tuple[str, ...]
    stems: tuple[str, ...]
    eight_bit: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {name: _plain(getattr(self, name)) for name in _COVERAGE}

    @classmethod
    def from_dict(cls, value: object) -> Coverage:
        """Read what `to_dict` wrote.

        Raises:
            ConfigError: A key is unknown or missing, or a number is none.
        """
        found = checked_keys("covers", value, _COVERAGE, required=_COVERAGE)
        plain: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in found.items()
        }
        covers = cls(**plain)
        check_integer("covers: image_size", covers.image_size, 1, 16_384)
        for width in covers.widths or (0,):
            check_integer("covers: widths (channels of a node)", width, 1, 16_384)
        return covers


_COVERAGE = ("primitives", "widths", "image_size", "dataset", "shortcuts", "stems", "eight_bit")


@dataclass(frozen=True)
class LatencyTable:
    """Times of steps, one image on one thread.

    Attributes:
        machine: `cpu`, `architecture`, `isa`, `bnas_deploy` (its version), `kernels` (a checksum).
        covers: For which networks.
        overhead_seconds: Of a run beside its steps.
        agreement: How far the table's own networks are from their prediction, as shares of the
            measured time: `median`, and what `nine_in_ten` are within.
        steps: Seconds by key.
    """

    machine: Mapping[str, str]
    covers: Coverage
    overhead_seconds: float
    agreement: Mapping[str, float]
    steps: Mapping[StepKey, float] = field(repr=False)

    def seconds(self, key: StepKey) -> tuple[float, bool]:
        """Return the time of a step, and whether exactly this one was measured.

        Where it was not, the time is interpolated between steps of the same work with other
        numbers of channels: of the same image size and detail if there are any, else of the same
        image size, else in proportion to the pixels; in the last resort with other windows.

        Raises:
            UsageError: No step of this name was measured.
        """
        if key in self.steps:
            return self.steps[key], True
        points = self._points.get(key.work) or self._points.get(_op(key), [])
        sized = [point for point in points if point[0].size == key.size]
        same = [point for point in sized if point[0].detail == key.detail]
        if not points:
            msg = (
                f"the latency table has no step {_op(key)} (layers in 8 bits in it:"
                f" {', '.join(self.covers.eight_bit) or 'none'}); measure one that covers the"
                " network with bnas-latency measure"
            )
            raise UsageError(msg)
        return _between(key, same or sized or points), False

    @cached_property
    def _points(self) -> dict[str, list[_Point]]:
        found: dict[str, list[_Point]] = defaultdict(list)
        for key, seconds in self.steps.items():
            found[key.work].append((key, seconds))
            if _op(key) != key.work:
                found[_op(key)].append((key, seconds))
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "machine": dict(self.machine),
            "covers": self.covers.to_dict(),
            "overhead_seconds": self.overhead_seconds,
            "agreement": dict(self.agreement),
            "steps": {key.to_text(): seconds for key, seconds in sorted(self.steps.items())},
        }

    @classmethod
    def from_dict(cls, value: object) -> LatencyTable:
        """Read what `to_dict` wrote.

        Raises:
            ConfigError: It is something else, or of another version.
            FormatError: A key of a step cannot be read.
        """
        found = checked_keys("latency table", value, _FIELDS, required=_FIELDS)
        if (found["format"], found["version"]) != (FORMAT, VERSION):
            got = f"{found['format']} {found['version']}"
            msg = f"expected {FORMAT} of version {VERSION}; got {got}"
            raise ConfigError(msg)
        numbers = [found["overhead_seconds"], *found["steps"].values()]
        if not all(isinstance(n, (int, float)) and math.isfinite(n) for n in numbers):
            msg = "expected times that are finite numbers"
            raise ConfigError(msg)
        steps = {StepKey.from_text(text): float(n) for text, n in found["steps"].items()}
        covers = Coverage.from_dict(found["covers"])
        return cls(found["machine"], covers, numbers[0], found["agreement"], steps)

    def check_covers(self, config: NetworkConfig, primitives: Iterable[str] = ()) -> None:
        """Check that the table was made for a network, and for cells of some primitives.

        Raises:
            UsageError: It was not; the message names all that is missing.
        """
        own, missing = self.covers, []
        genotype = config.genotype
        names = [*primitives, *(name for name, _ in (*genotype.normal, *genotype.reduce))]
        if absent := [n for n in dict.fromkeys(names) if n not in own.primitives]:
            missing.append(f"the primitives {some(absent)}")
        low, high = own.widths[0], own.widths[-1]
        if absent := [str(w) for w in config.stage_widths if not low <= w <= high]:
            missing.append(f"widths of {some(absent)} (it has {low} to {high})")
        for what, value, known in (
            ("images of so many pixels", config.image_size, (own.image_size,)),
            ("the kind of images", config.dataset, (own.dataset,)),
            ("the stem", config.stem, own.stems),
            ("the shortcut", config.shortcut, own.shortcuts),
        ):
            if value not in known:
                missing.append(f"{what}, {value} (it has {', '.join(map(str, known))})")
        if missing:
            msg = f"the latency table lacks {'; '.join(missing)}; measure one that has them"
            raise UsageError(msg)


_Point = tuple[StepKey, float]


def _op(key: StepKey) -> str:
    return key.work.split()[0]


def _between(key: StepKey, points: Sequence[_Point]) -> float:
    """Interpolate the time per work between the nearest points, nearer ones counting more."""
    load = _load_of(key.work)

    def distance(point: _Point) -> float:
        other = point[0]
        ratios = [(key.inputs, other.inputs), (key.outputs, other.outputs)]
        ratios.append((key.size[0] ** 2, other.size[0] ** 2))
        return sum(abs(math.log(max(a, 1) / max(b, 1))) for a, b in ratios)

    near = sorted(points, key=distance)[:NEAREST]
    weights = [1 / (distance(point) + 1e-3) ** 2 for point in near]
    rates = [seconds / load(other) for other, seconds in near]
    mean = sum(w * rate for w, rate in zip(weights, rates, strict=True)) / sum(weights)
    return mean * load(key)


def _load_of(work: str) -> Callable[[StepKey], float]:
    """What the time of a work grows with: pixels, and channels or products of channels."""
    if work.startswith("binary_conv"):  # kernels take bytes of signs, and tiles of outputs
        return lambda key: math.prod(key.size) * _eights(key.inputs) * _eights(key.outputs)
    if "conv" in work and "depthwise" not in work:
        return lambda key: math.prod(key.size) * key.inputs * key.outputs
    if work.startswith("add_slice"):
        return lambda key: math.prod(key.size) * max(key.inputs, 1)
    return lambda key: math.prod(key.size) * max(key.outputs, 1)


def _eights(channels: int) -> int:
    return -(-channels // 8)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def read_table(path: str | os.PathLike[str]) -> LatencyTable:
    """Read a table.

    Raises:
        UsageError: The file cannot be read, or is no latency table.
    """
    try:
        return LatencyTable.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError, AttributeError, TypeError, BnasError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        msg = f"{path}: no latency table ({reason}); bnas-latency measure writes one"
        raise UsageError(msg) from error


def write_table(path: str | os.PathLike[str], table: LatencyTable) -> None:
    """Write a table as JSON; a file that is there is replaced."""
    atomic.write_text(path, json.dumps(table.to_dict(), indent=1) + "\n")
