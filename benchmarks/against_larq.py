"""Measures imported networks of the Larq zoo against larq's own engine, and writes a table.

Usage: python benchmarks/against_larq.py FOLDER --python ENVIRONMENT/bin/python [--out DIR]

FOLDER holds what larq_engine/make_networks.py made. docs/benchmarks.md says how to make the
environment, and how the figures come about.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import machine
import numpy as np
from reporting import larq as table
from rivals import larq

from bnas_deploy import engine
from bnas_deploy.converters.eight_bit.quantize import quantize
from bnas_deploy.converters.from_onnx.convert import convert_onnx
from bnas_deploy.engine.reference.backend import ReferenceRunner

OWN = {"packed": (), "packed, 8 bits": ("stem", "shortcut", "classifier")}
"""Which layers are in 8 bits."""
BLOCK_SECONDS, MOST_CALLS = 0.1, 10

Times = list[tuple[float, float]]


@dataclass
class Contestant:
    """One way to run a network.

    Attributes:
        name: For the table.
        answers: (N, classes), of the network's pictures.
        time: Seconds, and seconds of the processor, of so many calls on the first picture.
        exact: Whether the first answer is known to be right.
        times: All so far.
    """

    name: str
    answers: np.ndarray
    time: Callable[[int], Times]
    exact: bool = False
    times: Times = field(default_factory=list)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    made.add_argument("folder", type=Path, help="of .tflite, .onnx and .npz files")
    made.add_argument("--python", required=True, help="of the environment with larq's engine")
    made.add_argument("--networks", nargs="+", help="default: all in the folder")
    made.add_argument("--rounds", type=int, default=20, help="blocks of each contestant")
    made.add_argument(
        "--clock",
        choices=("wall", "cpu"),
        default="wall",
        help="cpu: the processor's time, for a first look on a busy machine",
    )
    made.add_argument("--out", type=Path, default=Path("reports/larq"), help="folder of the table")
    return made


def own(name: str, source: Path, x: np.ndarray) -> Contestant:
    """This engine. An 8-bit program must give the reference's bits, the float one is like a rival.

    Args:
        name: One of `OWN`.
        source: The .onnx file.
        x: Pictures, (N, H, W, C); 8-bit layers are calibrated on them.
    """
    x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    kinds = OWN[name]
    model, _ = convert_onnx(source, allow_float=True, images=0)
    if kinds:
        model, _ = quantize(model, kinds, images=x)
    runner, one = engine.create(model), x[:1].copy()

    def timed(calls: int) -> Times:
        return [_timed(lambda: runner.run(one)) for _ in range(calls)]

    if kinds:
        np.testing.assert_array_equal(runner.run(one), ReferenceRunner(model).run(one))
    return Contestant(name, runner.run(x), timed, exact=bool(kinds))


def _timed(run: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


def race(contestants: Sequence[Contestant], rounds: int) -> None:
    """Give each a block of calls in every round; a call that is not counted goes before it."""
    for _ in range(rounds):
        for contestant in contestants:
            ((seconds, _),) = contestant.time(1)
            calls = max(1, min(MOST_CALLS, int(BLOCK_SECONDS / seconds)))
            contestant.times += contestant.time(calls)


def measure(name: str, arguments: argparse.Namespace) -> table.Network:
    """Race one network's contestants, but those that answer otherwise than Keras."""
    files = arguments.folder / name
    known = np.load(files.with_suffix(".npz"))
    x, answers = known["x"], known["answers"]
    rivals = larq.Interpreters(arguments.python, files.with_suffix(".tflite"), x)
    able = [own(option, files.with_suffix(".onnx"), x) for option in OWN]
    for i, option in enumerate(larq.OPTIONS):
        able.append(Contestant(option, rivals.answers[i], partial(rivals.times, i)))
    agreement = {c.name: table.agreement(answers, c.answers) for c in able}
    right = [c for c in able if c.exact or agreement[c.name] >= table.LEAST_AGREEMENT]
    race(right, arguments.rounds)
    rivals.close()
    clock = ("wall", "cpu").index(arguments.clock)
    seconds = {c.name: table.quartiles([both[clock] for both in c.times]) for c in able}
    return table.Network(name, agreement, seconds)


def main() -> None:
    arguments = parser().parse_args()
    if hasattr(os, "sched_setaffinity"):  # the rivals' processes inherit it
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    names = arguments.networks or sorted(path.stem for path in arguments.folder.glob("*.npz"))
    if not names:
        sys.exit(f"against_larq: {arguments.folder} has no networks; make_networks.py makes them")
    arguments.out.mkdir(parents=True, exist_ok=True)
    done: list[table.Network] = []
    for name in names:
        done.append(measure(name, arguments))
        run = table.Comparison(done, list(OWN), arguments.clock)
        text = table.page(run, machine.facts())
        (arguments.out / "larq.md").write_text(text, encoding="utf-8")
        table.write(run, arguments.out / "larq.json")
        print(table.line(done[-1], list(OWN)), flush=True)


if __name__ == "__main__":
    main()
