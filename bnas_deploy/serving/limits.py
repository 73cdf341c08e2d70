"""What a request may take: bytes, pixels, a place in the queue, and time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import anyio
import anyio.to_thread
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

__all__ = ["Gate", "Limits"]

T = TypeVar("T")
RETRY = {"Retry-After": "1"}


@dataclass(frozen=True)
class Limits:
    """The limits of a server.

    Attributes:
        body: Largest body of a request in bytes.
        pixels: Largest picture in pixels.
        workers: Requests that are computed at a time.
        queue: Requests that may wait for that.
        timeout: Seconds for a body to arrive, and again for its turn to come.
    """

    body: int = 16 * 2**20
    pixels: int = 50_000_000
    workers: int = 1
    queue: int = 64
    timeout: float = 30.0


class Gate:
    """Lets as many requests in as the limits say, and computes some of them at a time.

    A request has its place before its body is read, so that the memory of all of them is at most
    (workers + queue) times a body, and `workers` times what decoding and computing take.
    """

    def __init__(self, limits: Limits) -> None:
        """Let nobody in yet."""
        self.limits = limits
        self.inside = 0
        self._turns = anyio.Semaphore(limits.workers)
        self._threads: anyio.CapacityLimiter | None = None

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place while the body runs.

        Raises:
            HTTPException: 503 if there is none.
        """
        if self.inside >= self.limits.workers + self.limits.queue:
            raise HTTPException(503, "the server is busy; try again later", RETRY)
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    async def body(self, request: Request) -> bytes:
        """Read a request's body.

        Raises:
            HTTPException: 413 if it is too large, 408 if it takes too long, 415 if it is
                compressed, 400 if the client went away.
        """
        if request.headers.get("content-encoding", "identity") != "identity":
            raise HTTPException(415, "send the body without Content-Encoding")
        try:
            with anyio.fail_after(self.limits.timeout):
                return await self._read(request)
        except TimeoutError:
            seconds = self.limits.timeout
            raise HTTPException(408, f"the body took longer than {seconds:g} s") from None
        except ClientDisconnect:
            raise HTTPException(400, "the client went away") from None

    async def _read(self, request: Request) -> bytes:
        length = request.headers.get("content-length", "0")
        body = bytearray()
        if not length.isdecimal() or int(length[:20]) <= self.limits.body:
            async for piece in request.stream():
                body += piece
                if len(body) > self.limits.body:
                    break
            else:
                return bytes(body)
        msg = f"the body is larger than {self.limits.body} bytes"
        raise HTTPException(413, msg, {"Connection": "close"})

    async def compute(self, function: Callable[[], T]) -> T:
        """Call a function in a thread when its turn comes; what has begun is not given up.

        Raises:
            HTTPException: 503 if its turn does not come in time.
        """
        try:
            with anyio.fail_after(self.limits.timeout):
                await self._turns.acquire()
        except TimeoutError:
            msg = f"no turn within {self.limits.timeout:g} s; try again later"
            raise HTTPException(503, msg, RETRY) from None
        try:
            self._threads = self._threads or anyio.CapacityLimiter(self.limits.workers)
            return await anyio.to_thread.run_sync(function, limiter=self._threads)
        finally:
            self._turns.release()
