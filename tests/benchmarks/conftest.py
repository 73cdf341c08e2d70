"""A made-up run of the benchmarks, as pytest-benchmark writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def entry(median: float, **facts: Any) -> dict[str, Any]:
    stats = {"median": median, "iqr": median / 10, "rounds": 5, "data": [median] * 5}
    return {"extra_info": facts, "stats": stats}


def network(runner: str, median: float, *, zeroise: bool = True, **facts: Any) -> dict[str, Any]:
    variant = {"network": "A", "zeroise": zeroise, "shortcut": "conv", "eight_bit": False}
    own = runner.startswith(("native", "numba"))
    return entry(median, **{"kind": "network", "runner": runner, "own": own, **variant, **facts})


def layer(name: str, part: str, median: float, *, kernel: int, channels: int) -> dict[str, Any]:
    shape = {"kernel": kernel, "channels": channels, "networks": ["A"]}
    facts = {"macs": 1000.0, "moved_bytes": 10, "limit": 1000.0, "isa": "made up"}
    return entry(median, kind="layer", layer=name, part=part, shape=shape, **facts)


@pytest.fixture
def report(tmp_path: Path) -> Path:
    start = {"kind": "start", "network": "A", "zeroise": True, "shortcut": "conv"}
    memory = {"weights": 100, "arena": 1_500_000, "scratch": 500_000}
    benchmarks = [
        network("native-avx512_bitalg", 0.002),
        network("native-avx512_bitalg", 0.001, eight_bit=True),
        network("native-avx2", 0.004),
        network("pytorch-float32", 0.050),
        network("pytorch-float32", 0.100, zeroise=False),
        *(layer("good", part, t, kernel=3, channels=64) for part, t in PARTS.items()),
        *(layer("bad", part, 2 * t, kernel=3, channels=64) for part, t in PARTS.items()),
        layer("good", "openvino-binary", 3.3, kernel=3, channels=64),
        layer("unfinished", "pack", 1.0, kernel=1, channels=64),
        entry(
            0.02, **start, eight_bit=False, memory=memory,
            file_bytes=4_000_000, float_bytes=20_000_000, over_bytes=60_000_000,
        ),
        entry(0.1, kind="small", network="BNAS-Mini", runner="packed", own=True),
        entry(0.2, kind="small", network="ResNet-20", runner="openvino-int8", own=False),
        *(
            entry(t, kind="pictures", source="32x32", workers=workers)
            for t, workers in ((0.0004, None), (0.0005, 0))
        ),
        *(entry(0.1, kind="threads", case="busy", threads=n, p99=0.1 * n * n) for n in (1, 2)),
    ]  # fmt: skip
    machine = {"engine": {"cpu": {"model": "Made(R) Up 3000"}, "isas": {"avx2": "supported"}}}
    content = {"datetime": "2026-01-02T03:04:05", "machine_info": machine}
    path = tmp_path / "bench.json"
    path.write_text(json.dumps(content | {"benchmarks": benchmarks}))
    return path


PARTS = {"pack": 0.25, "bits": 1.0, "floats": 1.25}
