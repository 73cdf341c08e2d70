"""Writes the seeds of the fuzzers into a folder, one folder a target; git has none of them.

Usage: python fuzz/seeds.py FOLDER
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.random_programs import random_program, step_programs  # noqa: E402 - lies in tests/

from bnas_deploy.format import to_bytes  # noqa: E402
from bnas_deploy.format.program import PackedModel  # noqa: E402

SMALL = 20_000
"""Bytes of a seed at most: what is small is tried often."""


def main() -> None:
    """Write them all."""
    folder = Path(sys.argv[1])
    files = [*_goldens(), *_programs()]
    _write(folder / "reader", files)
    _write(folder / "resealed", files)
    _write(folder / "json", [_header(blob) for blob in files])
    _write(folder / "resize", _resizes())
    _write(folder / "pictures", _pictures())


def _goldens() -> list[bytes]:
    return [path.read_bytes() for path in sorted((ROOT / "tests/format").glob("golden_*.bnn"))]


def _programs() -> list[bytes]:
    rng = np.random.default_rng(0)
    models: list[PackedModel] = [random_program(rng) for _ in range(20)]
    models += [model for _, model in step_programs(0)]
    return [blob for blob in map(to_bytes, models) if len(blob) <= SMALL]


def _header(blob: bytes) -> bytes:
    return blob[8 : 8 + int.from_bytes(blob[:8], "little")]


def _resizes() -> list[bytes]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, 17 + n, dtype=np.uint8).tobytes() for n in (1, 3, 48, 300)]


def _pictures() -> list[bytes]:
    rng = np.random.default_rng(0)
    found = []
    for mode, kind in (("RGB", "PNG"), ("RGBA", "PNG"), ("L", "PNG"), ("I;16", "PNG"), ("P", "GIF"),
                       ("RGB", "JPEG"), ("CMYK", "JPEG"), ("RGB", "BMP"), ("RGB", "WEBP"),
                       ("1", "TIFF"), ("RGB", "TIFF"), ("RGB", "PPM")):  # fmt: skip
        image = Image.fromarray(rng.integers(0, 256, (7, 9, 3), dtype=np.uint8))
        file = io.BytesIO()
        image.convert(mode if mode != "I;16" else "I").convert(mode).save(file, kind)
        found.append(file.getvalue())
    return found


def _write(folder: Path, seeds: list[bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for i, seed in enumerate(seeds):
        (folder / f"seed{i:03}").write_bytes(seed)


if __name__ == "__main__":
    main()
