"""Connections of uvicorn that end when a client does not send a request.

They are those of h11, which takes 64 KiB of headers at most; uvicorn's faster parser takes any
number.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["patient"]


def patient(seconds: float) -> type[H11Protocol]:
    """Return the class of connections on which headers may take `seconds`, at most twice that."""

    class Patient(H11Protocol):
        """A connection that looks every `seconds` whether a request came since the last look."""

        def connection_made(self, transport: Any) -> None:  # noqa: ANN401
            super().connection_made(transport)
            self._look_later()

        def connection_lost(self, exc: Exception | None) -> None:
            self._clock.cancel()
            super().connection_lost(exc)

        def _look_later(self) -> None:
            self._seen = self.cycle
            self._clock: asyncio.TimerHandle = self.loop.call_later(seconds, self._look)

        def _look(self) -> None:
            waiting = getattr(self.cycle, "response_complete", True)  # there is none at first
            if waiting and self.cycle is self._seen:
                self.transport.close()
            else:
                self._look_later()

    return Patient
