"""What a request may take: bytes, pixels, a place in the queue, and time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import anyio
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

__all__ = ["Gate", "Limits"]

T = TypeVar("T")
RETRY = {"Retry-After": "1"}
CLOSE = {"Connection": "close"}
"""Where the rest of a body is not wanted."""
BUSY = "the server is busy; try again later"


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

    A body takes memory as it arrives, and a place only when it is there: slow clients keep nobody
    out. All bodies together are at most (workers + queue) times the largest.
    """

    def __init__(self, limits: Limits) -> None:
        """Let nobody in yet."""
        self.limits = limits
        self.inside = 0
        self.held = 0
        self._places = limits.workers + limits.queue
        self._threads = ThreadPoolExecutor(limits.workers, "bnas-serve")

    @asynccontextmanager
    async def body(self, request: Request) -> AsyncIterator[bytes]:
        """Read a request's body, whose memory counts until the end of the block.

        Raises:
            HTTPException: 413 if it is too large, 408 if it takes too long, 415 if it is
                compressed, 400 if the client went away, 503 if the server has enough to do.
        """
        self._check_places()
        if request.headers.get("content-encoding", "identity") != "identity":
            raise HTTPException(415, "send the body without Content-Encoding", CLOSE)
        body = bytearray()
        try:
            await self._arrival(request, body)
            yield bytes(body)
        finally:
            self.held -= len(body)

    async def _arrival(self, request: Request, body: bytearray) -> None:
        try:
            with anyio.fail_after(self.limits.timeout):
                await self._read(request, body)
        except TimeoutError:
            seconds = self.limits.timeout
            raise HTTPException(408, f"the body took longer than {seconds:g} s", CLOSE) from None
        except ClientDisconnect:
            raise HTTPException(400, "the client went away") from None

    async def _read(self, request: Request, body: bytearray) -> None:
        length = request.headers.get("content-length", "0")
        if length.isdecimal() and int(length[:20]) > self.limits.body:
            raise self._too_large()
        async for piece in request.stream():
            body += piece
            self.held += len(piece)
            if len(body) > self.limits.body:
                raise self._too_large()
            if self.held > self._places * self.limits.body:
                raise HTTPException(503, BUSY, RETRY | CLOSE)

    def _too_large(self) -> HTTPException:
        return HTTPException(413, f"the body is larger than {self.limits.body} bytes", CLOSE)

    def _check_places(self) -> None:
        if self.inside >= self._places:
            raise HTTPException(503, BUSY, RETRY)

    async def compute(self, request: Request, function: Callable[[], T]) -> T:
        """Call a function in a thread when its turn comes; what has begun is not given up.

        The threads take the next call themselves: a loop that is busy with refusing does not keep
        them waiting.

        Raises:
            HTTPException: 503 if all places are taken, or its turn does not come in time; 400 if
                the client goes away before it.
        """
        self._check_places()
        self.inside += 1
        call = self._threads.submit(function)
        answer = asyncio.wrap_future(call)
        gone = asyncio.ensure_future(_departure(request))
        try:
            await asyncio.wait(
                (answer, gone),
                timeout=self.limits.timeout,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not answer.done() and call.cancel():
                raise self._no_turn(left=gone.done())
            return await answer
        finally:
            gone.cancel()
            self.inside -= 1

    def _no_turn(self, *, left: bool) -> HTTPException:
        if left:
            return HTTPException(400, "the client went away")
        return HTTPException(
            503, f"no turn within {self.limits.timeout:g} s; try again later", RETRY
        )


async def _departure(request: Request) -> None:
    """Return when the client has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
