"""Runs the application in uvicorn until SIGTERM or SIGINT; what has begun is answered first."""

from __future__ import annotations

import signal
import socket
import sys

import uvicorn
from fastapi import FastAPI

from bnas_deploy.errors import UsageError
from bnas_deploy.serving.connections import patient

__all__ = ["listen", "run"]


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one.

    An answer leaves at once: its body would wait for the client's word on its headers, 40 ms.

    Raises:
        UsageError: The address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        msg = f"cannot listen on {host}, port {port}: {error}; give another --host or --port"
        raise UsageError(msg) from error
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def run(app: FastAPI, listener: socket.socket, timeout: float) -> None:
    """Serve until a signal comes; then take no more requests, and answer those that are here.

    Args:
        app: What answers.
        listener: Where requests come in.
        timeout: Seconds that each of reading, waiting and computing may take at the end, and that
            headers may take.
    """
    config = uvicorn.Config(
        app,
        http=patient(timeout),
        log_config=None,
        log_level="error",  # a line a malformed request would be the client's to write
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(3 * timeout) + 1,
    )
    # uvicorn raises the signal again when it is done, which would look like a failure.
    previous = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        signal.signal(signal.SIGTERM, previous)
    print("stopped", file=sys.stderr, flush=True)  # noqa: T201 - the server's log
