"""Many connections, endless and huge requests, pipelining, files that change, SIGTERM."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor as Pool
from dataclasses import replace

import httpx
import pytest
from serving.clients import connection, infer, metric, tensors, wait_until
from serving.conftest import serving
from support.small_models import mean_colour_model

from bnas_deploy.format import write

HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
OK = b"HTTP/1.1 200 OK"


def received(client):
    """All that comes until the server closes the connection."""
    found = b""
    while piece := client.recv(99999):
        found += piece
    return found


def send_for_ever(client, piece):
    while True:
        client.sendall(piece)


def test_a_thousand_connections_are_answered(address):
    clients = [connection(address) for _ in range(800)]
    for client in clients:
        client.sendall(HEALTH)
    assert all(client.recv(9999).startswith(OK) for client in clients)
    for client in clients:
        client.close()


def test_pipelined_requests_are_answered_in_order(address):
    body, headers = tensors(1)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST /v2/models/things/infer HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    last = b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with connection(address) as client:
        client.sendall((HEALTH + head.encode() + lines.encode() + b"\r\n" + body) * 20 + last)
        found = received(client)
    assert (found.count(OK), found.count(b"FP32")) == (40, 20)
    assert found.rindex(b"404") > found.rindex(b"FP32")


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        b"GET /" + b"y" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 30_000,
        b"\x16\x03\x01\x02\x00" * 20 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_request_is_refused(address, request_):
    with connection(address) as client:
        try:
            client.sendall(request_)
            assert b" 40" in received(client).partition(b"\r\n")[0]
        except ConnectionError:
            pass  # it may close before all was sent


@pytest.mark.parametrize("path", [b"/v1/models/colours:classify", b"/v2/models/things/infer"])
def test_a_body_without_end_is_refused(address, path):
    head = b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connection(address) as client:
        client.sendall(head)
        with pytest.raises(ConnectionError):
            send_for_ever(client, b"ffff\r\n" + bytes(0xFFFF) + b"\r\n")
    assert httpx.get(address + "/health").status_code == 200
    assert metric(address, "bnas_body_bytes") == 0


def test_a_file_that_changes_under_load_costs_no_request(shelf, tmp_path):
    one = mean_colour_model()
    versions = [one, replace(one, labels=tuple(reversed(one.labels)))]
    path, picture = tmp_path / "m.bnn", (shelf / "red.png").read_bytes()
    write(versions[0], path)
    done, answers = threading.Event(), []

    def ask(url):
        with httpx.Client() as client:
            while not done.is_set():
                answers.append(client.post(url, content=picture))

    with serving("--packed", path, "--reload", 0.02) as (process, address), Pool(4) as pool:
        working = [pool.submit(ask, f"{address}/v1/models/m:classify") for _ in range(4)]
        for version in range(1, 9):
            write(versions[version % 2], tmp_path / "new.bnn")
            os.replace(tmp_path / "new.bnn", path)  # noqa: PTH105
            assert "loaded again" in process.stderr.readline()
            before = len(answers)
            wait_until(lambda n=before: len(answers) > n + 8)
        done.set()
        assert [worker.result() for worker in working] == [None] * 4
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["results"][0]["label"] for answer in answers} == {"red", one.labels[-1]}


def test_sigterm_under_load_answers_all_that_came(shelf):
    slow = tensors(300)
    words = ["--packed", shelf / "things.bnn", "--workers", 1]
    with serving(*words, backend="reference") as (process, address), Pool(12) as pool:
        working = [pool.submit(infer, address, slow) for _ in range(12)]

        def all_are_here():
            waiting = metric(address, "bnas_requests_inside")
            return waiting and waiting + sum(w.done() for w in working) == 12

        wait_until(all_are_here)
        process.send_signal(signal.SIGTERM)
        assert [worker.result().status_code for worker in working] == [200] * 12
        assert process.wait(20) == 0
