"""The options of bnas-serve."""

from __future__ import annotations

import argparse
import math

from bnas_deploy.cli.common.entry import Parser, positive

__all__ = ["serve_parser"]

EPILOG = """\
examples:
  bnas-serve --packed cats.bnn
  bnas-serve --packed cats.bnn --packed dogs.bnn --host 0.0.0.0 --port 8080
  bnas-serve --packed /mnt/models --name cats
  curl --data-binary @photo.jpg http://127.0.0.1:8000/v1/models/cats:classify

A model is called after its file without .bnn. SIGTERM ends the server when it has answered what it
has. There is no encryption and no password: put a proxy in front of it for the world.
"""


def serve_parser() -> Parser:
    """Return the parser; --workers is None where it was not given."""
    parser = Parser(
        prog="bnas-serve",
        description="Answer over HTTP with packed networks.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--packed",
        required=True,
        action="append",
        metavar="MODEL.bnn",
        help="a packed network, or a folder of them; give the option again for more",
    )
    add("--name", help="what the only model is called, instead of after its file")
    add("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    add("--port", type=_port, default=8000, metavar="N", help="0: a free one (default: 8000)")
    add("--threads", type=positive, default=1, metavar="N", help="of a request (default: 1)")
    add(
        "--workers",
        type=positive,
        metavar="N",
        help="requests computed at a time (default: the CPUs of this container, over --threads)",
    )
    limits = parser.add_argument_group("limits")
    add = limits.add_argument
    add(
        "--queue",
        type=positive,
        default=64,
        metavar="N",
        help="requests that may wait; more are answered with 503 (default: 64)",
    )
    add(
        "--max-bytes",
        type=positive,
        default=16 * 2**20,
        metavar="N",
        help="largest body of a request (default: 16 MiB)",
    )
    add(
        "--max-pixels",
        type=positive,
        default=50_000_000,
        metavar="N",
        help="largest picture (default: 50 million pixels)",
    )
    add(
        "--timeout",
        type=_seconds,
        default=30.0,
        metavar="S",
        help="seconds for a body to arrive, and for its turn to come (default: 30)",
    )
    add(
        "--reload",
        type=_seconds,
        default=2.0,
        metavar="S",
        help="seconds between looks at the files; a changed one is loaded again (default: 2)",
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        msg = f"expected a whole number from 0 to 65535, got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= 86400:
        msg = f"expected seconds, above 0 and at most 86400, got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return seconds
