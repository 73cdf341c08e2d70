"""A Chromium without a window, told what to do through a pipe (Chrome DevTools Protocol)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from contextlib import contextmanager

__all__ = ["NAME", "page"]

NAME = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
SECONDS = 120


class Page:
    """A tab.

    Attributes:
        requested: All addresses that it has asked for.
    """

    def __init__(self, send, receive):
        self._send, self._receive, self._count, self._session = send, receive, 0, None
        self.requested = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self.call("Network.enable")

    def call(self, method, **parameters):
        """Call a method of the protocol and return its result."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        self._send.write(json.dumps(message).encode() + b"\0")
        self._send.flush()
        while True:
            answer = json.loads(self._next())
            if answer.get("method") == "Network.requestWillBeSent":
                self.requested.append(answer["params"]["request"]["url"])
            if answer.get("id") == self._count:
                assert "error" not in answer, answer
                return answer["result"]

    def _next(self):
        text = b""
        while not text.endswith(b"\0"):
            piece = self._receive.read(1)
            assert piece, "the browser has ended"
            text += piece
        return text[:-1]

    def value(self, expression):
        """Return the value of an expression in JavaScript."""
        told = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return told["result"].get("value")

    def wait_for(self, expression):
        """Wait until an expression is true."""
        end = time.monotonic() + SECONDS
        while not self.value(expression):
            assert time.monotonic() < end, self.value("document.body.innerText")
            time.sleep(0.1)

    def drop(self, selector, path):
        """Drop a file on an element."""
        box = self.value(
            f"JSON.stringify(document.querySelector({selector!r}).getBoundingClientRect())"
        )
        place = json.loads(box)
        x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
        data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.call("Input.dispatchDragEvent", type=kind, x=x, y=y, data=data)


@contextmanager
def page(profile):
    """Start a browser with a folder for its own files; gives one empty tab."""
    (to_read, send), (receive, to_write) = os.pipe(), os.pipe()
    flags = "--headless=new --no-sandbox --disable-gpu --no-first-run --remote-debugging-pipe"
    command = f'exec "$0" {flags} --user-data-dir="$1" 3<&{to_read} 4>&{to_write}'
    words = ["bash", "-c", command, NAME, str(profile)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(words, pass_fds=(to_read, to_write), **quiet) as process:
        os.close(to_read)
        os.close(to_write)
        try:
            with os.fdopen(send, "wb") as sending, os.fdopen(receive, "rb") as receiving:
                opened = Page(sending, receiving)
                yield opened
                opened.call("Page.close")
        finally:
            process.kill()
