"""A coverage-guided loop for Python's front ends: what reaches new lines is damaged again.

Usage: python fuzz/loop.py TARGET SECONDS [--seeds FOLDER] [--seed N]; targets: see `TARGETS`.
Everything but a `BnasError` is a find: the input is written to fuzz-finds/ and the status is 1.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from targets import TARGETS

from bnas_deploy.errors import BnasError

PACKAGE = "bnas_deploy"
FINDS = Path("fuzz-finds")
WORDS = [
    line.strip()[1:-1].encode().decode("unicode_escape").encode("latin-1", "replace")
    for line in (Path(__file__).parent / "bnn.dict").read_text().splitlines()
    if line.startswith('"')
]


class Lines:
    """The lines of the package that have run: (code, line), each traced until it was seen once."""

    def __init__(self) -> None:
        self.seen: set[tuple[CodeType, int]] = set()
        self.new = False

    def __call__(self, frame: FrameType, event: str, argument: object) -> Any:  # noqa: ANN401
        """What `sys.settrace` wants."""
        if PACKAGE not in frame.f_code.co_filename:
            return None
        return self._line

    def _line(self, frame: FrameType, event: str, argument: object) -> Any:  # noqa: ANN401
        place = (frame.f_code, frame.f_lineno)
        if event == "line" and place not in self.seen:
            self.seen.add(place)
            self.new = True
        return self._line


def damage(rng: random.Random, blob: bytes, others: list[bytes]) -> bytes:
    """A few changes: bytes, words, pieces of itself or of others, cuts."""
    data = bytearray(blob)
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        at = rng.randrange(len(data) + 1)
        way = rng.randrange(6)
        if way == 0 and at < len(data):
            data[at] = rng.randrange(256)
        elif way == 1 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif way == 2:
            data[at:at] = rng.choice(WORDS)
        elif way == 3:
            del data[at : at + rng.randrange(1, 16)]
        elif way == 4:
            other = rng.choice(others)
            begin = rng.randrange(len(other) + 1)
            piece = other[begin : begin + rng.randrange(1, 64)]
            data[at : at + rng.choice((0, len(piece)))] = piece
        elif at < len(data):
            data[at : at + 1] = str(rng.choice((0, 1, -1, 2**16, 2**31, 2**63, 1e30))).encode()
    return bytes(data)


def fuzz(call: Callable[[bytes], object], seeds: list[bytes], seconds: float, seed: int) -> int:
    """Run until the time is up or something is found; returns the exit status."""
    rng, lines, corpus = random.Random(seed), Lines(), list(seeds)
    runs, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        first = runs < len(seeds)
        blob = seeds[runs] if first else damage(rng, rng.choice(corpus), corpus)
        lines.new = False
        runs += 1
        sys.settrace(lines)
        try:
            call(blob)
        except BnasError:
            pass
        except Exception:  # the find
            sys.settrace(None)
            return _report(blob)
        finally:
            sys.settrace(None)
        if lines.new and not first:
            corpus.append(blob)
    print(f"{runs:,} runs, {len(lines.seen):,} lines, {len(corpus) - len(seeds):,} inputs kept")
    return 0


def _report(blob: bytes) -> int:
    FINDS.mkdir(exist_ok=True)
    path = FINDS / hashlib.sha256(blob).hexdigest()[:16]
    path.write_bytes(blob)
    traceback.print_exc()
    print(f"found: {path}", file=sys.stderr)
    return 1


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("seconds", type=float)
    parser.add_argument("--seeds", type=Path, help="folder made by seeds.py")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # of libraries, about the damage
    target = TARGETS[args.target]
    seeds = target.own_seeds()
    if args.seeds is not None and (args.seeds / target.folder).is_dir():
        seeds += [path.read_bytes() for path in sorted((args.seeds / target.folder).iterdir())]
    print(f"{args.target}: {len(seeds)} seeds", flush=True)
    return fuzz(target.call, seeds or [b""], args.seconds, args.seed)


if __name__ == "__main__":
    sys.exit(main())
