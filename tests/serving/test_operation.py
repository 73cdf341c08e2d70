"""Overload, reloading, SIGTERM, metrics, the page, and the CPUs of a container."""

from __future__ import annotations

import signal
import socket
import time

import httpx
from serving.conftest import serving
from support.small_models import mean_colour_model, picture_model

from bnas_deploy.cli.serve.command import main
from bnas_deploy.format import write
from bnas_deploy.serving.cpus import usable_cpus

URL = "/v1/models/m:classify"


def slow_upload(address, body):
    """A request whose last byte is still to come."""
    host, port = address.removeprefix("http://").split(":")
    client = socket.create_connection((host, int(port)), timeout=20)
    head = f"POST {URL} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    client.sendall(head.encode() + body[:-1])
    return client


def wait_until(true):
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def inside(address):
    text = httpx.get(address + "/metrics").text
    return float(text.split("\nbnas_requests_inside ")[1].split()[0])


def test_overload_is_refused_and_sigterm_answers_what_is_there(shelf, tmp_path):
    path = tmp_path / "m.bnn"
    write(mean_colour_model(), path)
    picture = (shelf / "red.png").read_bytes()
    words = ["--packed", path, "--workers", 1, "--queue", 1]
    with serving(*words) as (process, address):
        clients = [slow_upload(address, picture) for _ in range(2)]
        wait_until(lambda: inside(address) == 2)
        refused = httpx.post(address + URL, content=picture)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        clients[0].sendall(picture[-1:])
        assert b"200 OK" in clients[0].recv(9999)
        wait_until(lambda: inside(address) == 1)
        assert httpx.post(address + URL, content=picture).status_code == 200
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        clients[1].sendall(picture[-1:])
        assert b"200 OK" in clients[1].recv(9999)
        for client in clients:
            client.close()
        assert process.wait(20) == 0


def test_a_body_that_does_not_come_is_given_up(shelf, tmp_path):
    write(mean_colour_model(), tmp_path / "m.bnn")
    words = ["--packed", tmp_path / "m.bnn", "--timeout", 0.2]
    with serving(*words) as (_, address), slow_upload(address, b"xx") as client:
        assert b"408" in client.recv(9999)


def test_a_changed_file_is_loaded_and_a_damaged_one_is_not(shelf, tmp_path):
    path = tmp_path / "m.bnn"
    write(mean_colour_model(), path)
    picture = (shelf / "red.png").read_bytes()
    with serving("--packed", path, "--reload", 0.05) as (process, address):

        def label():
            return httpx.post(address + URL, content=picture).json()["results"][0]["label"]

        assert label() == "red"
        path.write_bytes(b"damaged")
        assert "refused, the old model stays" in process.stderr.readline()
        assert label() == "red"
        write(picture_model(("other", "another")), path)
        wait_until(lambda: label() in {"other", "another"})
        assert (
            'bnas_reloads_total{model="m",outcome="loaded"}' in httpx.get(address + "/metrics").text
        )


def test_the_page_health_and_the_description(client):
    page = client.get("/").text
    assert "http" not in page  # nothing comes from elsewhere
    assert "page.js" in page
    assert client.get("/page.js").status_code == client.get("/page.css").status_code == 200
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/ready").json() == {"models": ["colours", "things"]}
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/v1/models/{name}:classify", "/v2/models/{name}/infer"} <= set(paths)


def test_the_quota_of_a_container_counts(tmp_path):
    allowed = usable_cpus(tmp_path / "none")
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    assert usable_cpus(tmp_path) == 1
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert usable_cpus(tmp_path) == allowed


def test_mistakes_of_the_command_are_one_line(shelf, tmp_path, capsys):
    path = str(shelf / "colours.bnn")
    assert main(["--packed", path, "--packed", path]) == 2
    assert "two models would be called colours" in capsys.readouterr().err
    assert main(["--packed", str(tmp_path / "none.bnn")]) == 2
    assert main(["--packed", path, "--port", "99999"]) == 2
