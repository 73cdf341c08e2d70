"""The server's loop goes on while bodies are decoded and pictures are classified."""

from __future__ import annotations

import asyncio
import threading

import pytest
from starlette.requests import Request

from bnas_deploy.serving import classify
from bnas_deploy.serving.limits import Gate, Limits
from bnas_deploy.serving.metrics import Metrics
from bnas_deploy.serving.service import Service
from bnas_deploy.serving.shelf import Shelf

KINDS = {
    "image/png": b"x",
    "application/json": b'{"image": "eA=="}',
    "multipart/form-data; boundary=x": b"--x\r\n\r\n--x--\r\n",
}


def request(kind, body):
    """A request of which nothing but its body and its type is looked at."""

    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive():
        if not messages:
            await asyncio.sleep(60)  # the client stays
        return messages.pop()

    headers = [(b"content-type", kind.encode())]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


@pytest.fixture
def route(shelf):
    models = Shelf(1, Metrics())
    models.add([str(shelf / "colours.bnn")])
    router = classify.classify_routes(Service(models, Gate(Limits()), Metrics()))
    (found,) = [route.endpoint for route in router.routes if "classify" in route.path]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_no_body_is_decoded_on_the_loop(route, monkeypatch, kind):
    places = []

    def decode(*_):
        places.append(threading.current_thread())
        return b""

    monkeypatch.setattr(classify, "picture_of", decode)
    with pytest.raises(classify.BadRequest):
        asyncio.run(route(request(kind, KINDS[kind]), "colours", 1))
    assert places
    assert threading.main_thread() not in places
