"""`bnas-serve`: answer over HTTP with packed networks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from bnas_deploy.cli.common.entry import require, run_cli
from bnas_deploy.cli.common.text import safe
from bnas_deploy.cli.serve.parser import serve_parser
from bnas_deploy.interrupt import patient

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with the given arguments (None: those of the process)."""
    return run_cli(_run, argv)


def _run(argv: Sequence[str] | None) -> int:
    args = serve_parser().parse_args(argv)
    require("serve", "fastapi", "uvicorn", "prometheus_client", "python_multipart")
    return _serve(args)


def _serve(args: argparse.Namespace) -> int:
    # Only now: these need the extra.
    from bnas_deploy.cpus import usable_cpus  # noqa: PLC0415
    from bnas_deploy.serving.app import make_app  # noqa: PLC0415
    from bnas_deploy.serving.limits import Limits  # noqa: PLC0415
    from bnas_deploy.serving.server import listen, run  # noqa: PLC0415
    from bnas_deploy.serving.service import make_service  # noqa: PLC0415

    workers = args.workers or max(1, usable_cpus() // args.threads)
    limits = Limits(args.max_bytes, args.max_pixels, workers, args.queue, args.timeout)
    service = make_service(args.packed, name=args.name, threads=args.threads, limits=limits)
    app = make_app(service, reload_seconds=args.reload)
    listener = listen(args.host, args.port)
    host, port, *_ = listener.getsockname()
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    names = ", ".join(service.shelf.names)
    print(safe(f"serving {names} on http://{place}, {workers} at a time"), file=sys.stderr)
    sys.stderr.flush()
    with patient(lambda: True):  # uvicorn answers what has begun
        run(app, listener, args.timeout)
    return 0
