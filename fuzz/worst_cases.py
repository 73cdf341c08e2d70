"""Measures the worst files within the limits: seconds to load and run, bytes of memory.

Usage: python fuzz/worst_cases.py [--backend native[:ISA]|numba|reference] [--share F] [CASE ...]
Each case is built as large as the limits allow (times F, to extrapolate from), then loaded and run
once in a process of its own. Printed: bytes, the limit that is used most, seconds of CPU, and what
they would be at the whole limit.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.program_builder import Builder  # noqa: E402 - lies in tests/

from bnas_deploy import engine  # noqa: E402
from bnas_deploy.format import read, to_bytes  # noqa: E402
from bnas_deploy.format.limits import LIMITS, Work  # noqa: E402
from bnas_deploy.format.model_file import ModelFile  # noqa: E402
from bnas_deploy.format.program import PackedModel  # noqa: E402
from bnas_deploy.format.steps import MaxPool2d  # noqa: E402


def _builder(*shape: int) -> Builder:
    return Builder(np.random.default_rng(0), shape)  # type: ignore[arg-type]


def _root(share: float) -> float:
    return float(np.sqrt(share))


def _pools(share: float) -> PackedModel:
    """Means of one large value, over and over."""
    b = _builder(4, int(4096 * _root(share)), 4096)
    for _ in range(int(60 * _root(share)) or 1):
        b.global_avg_pool("image")
    return b.finish()


def _chain(share: float) -> PackedModel:
    """As many steps as there may be."""
    b = _builder(1, 1, 1)
    x = "image"
    for _ in range(int(65_000 * share)):
        x = b.global_avg_pool(x)
    return b.finish()


def _nested(share: float) -> PackedModel:
    """Concatenations of concatenations."""
    b = _builder(1, 1, 1)
    x = "image"
    for _ in range(int(9_000 * share)):
        x = b.concat(x, b.global_avg_pool("image"))
    return b.finish()


def _float_convolution(share: float) -> PackedModel:
    """A dense convolution of floats, at 2^36 multiply-accumulates."""
    side = max(1, int(104 * min(1.0, _root(10 * share))))
    b = _builder(256, side, side)
    x = "image"
    for _ in range(max(1, int(10 * share))):
        x = b.conv2d(x, 256, kernel=3, padding=1)
    return b.finish()


def _one_pixel(share: float) -> PackedModel:
    """Windows as large as the image: one output pixel, all terms."""
    side = int(128 * share**0.25)
    b = _builder(32, side, side)
    for _ in range(max(1, int(8 * _root(share)))):
        b.pool(MaxPool2d, "image", kernel=side, padding=0)
    return b.finish()


def _large_windows(share: float) -> PackedModel:
    """Binary windows that every pixel sees otherwise."""
    side = int(64 * share**0.25)
    b = _builder(1, side, side)
    b.binary_conv2d(b.binarize("image"), 64, kernel=2 * side - 1, padding=side - 1)
    return b.finish()


def _sigmoids(share: float) -> PackedModel:
    """The most that a single element costs."""
    b = _builder(16, int(2048 * _root(share)), int(2048 * _root(share)))
    x = "image"
    for _ in range(14):
        x = b.sigmoid(x)
    return b.finish()


CASES: dict[str, Callable[[float], PackedModel]] = {
    "pools": _pools,
    "chain": _chain,
    "nested": _nested,
    "float_convolution": _float_convolution,
    "one_pixel": _one_pixel,
    "large_windows": _large_windows,
    "sigmoids": _sigmoids,
}


def _used(model: PackedModel) -> dict[str, float]:
    """Share of each limit."""
    work = Work()
    for i, step in enumerate(model.program.steps):
        work.add(f"step {i}", step, model.program.values, model.tensors)
    return {what: getattr(work, what) / limit for what, limit in LIMITS.items()}


def _measure(path: str, backend: str) -> None:
    """In a process of its own: load, run, print."""
    name, _, isa = backend.partition(":")
    start, before = time.process_time(), _peak()
    packed = read(path)
    read_in = time.process_time() - start
    start = time.process_time()
    source = ModelFile.at(path) if name == "native" else packed
    runner = engine.create(source, backend=name, isa=isa or None)
    load = time.process_time() - start
    images = np.ones((1, *packed.interface.input_shape), np.float32)
    start = time.process_time()
    runner.run(images)
    result = {"read": read_in, "load": load, "run": time.process_time() - start}
    print(json.dumps({**result, "peak": _peak() - before, "said": runner.memory()}))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _report(case: str, backend: str, share: float, folder: Path) -> None:
    model = CASES[case](share)
    blob = to_bytes(model)
    path = folder / "model.bnn"
    path.write_bytes(blob)
    used = _used(model)
    of = max(used, key=used.__getitem__)
    command = [sys.executable, __file__, "--measure", str(path), "--backend", backend]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{case}: status {done.returncode}: {done.stderr.strip()[-200:]}")
        return
    got: dict[str, Any] = json.loads(done.stdout)
    most = 2 + 20e-9 * len(blob)
    print(
        f"{case:18} {len(blob):>11,} bytes, {used[of]:6.1%} of {of}; read {got['read']:.2f} s, "
        f"load {got['load']:.2f} s (of {most:.2f}), run {got['run']:.2f} s, at the limit "
        f"{got['run'] / used[of]:.0f} s; peak {got['peak'] / 2**20:,.0f} MiB, said {got['said']}",
        flush=True,
    )


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}")
    parser.add_argument("--backend", default="native")
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        _measure(args.measure, args.backend)
        return
    with tempfile.TemporaryDirectory() as folder:
        for case in args.cases or CASES:
            _report(case, args.backend, args.share, Path(folder))


if __name__ == "__main__":
    main()
