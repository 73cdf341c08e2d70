"""Overload, reloading, SIGTERM, metrics, the page, and the CPUs of a container."""

from __future__ import annotations

import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor as Pool

import httpx
from serving.clients import infer, metric, slow_upload, tensors, wait_until
from serving.conftest import serving
from support.small_models import mean_colour_model, picture_model

from bnas_deploy.cli.serve.command import main
from bnas_deploy.cpus import usable_cpus
from bnas_deploy.format import write

URL = "/v1/models/m:classify"


def test_overload_is_refused_and_sigterm_answers_what_is_there(shelf, tmp_path):
    picture, slow = (shelf / "red.png").read_bytes(), tensors(1500)
    words = ["--packed", shelf / "colours.bnn", "--packed", shelf / "things.bnn"]
    limits = ["--workers", 1, "--queue", 1]
    with serving(*words, *limits, backend="reference") as (process, address), Pool(3) as pool:
        url = f"{address}/v1/models/colours:classify"
        upload = slow_upload(url, picture)
        working = [pool.submit(infer, address, slow) for _ in range(2)]
        wait_until(lambda: metric(address, "bnas_requests_inside") == 2)
        refused = httpx.post(url, content=picture)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert [answer.result().status_code for answer in working] == [200, 200]
        assert httpx.post(url, content=picture).status_code == 200
        working = [pool.submit(infer, address, slow)]
        wait_until(lambda: metric(address, "bnas_requests_inside") == 1)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        upload.sendall(picture[-1:])
        assert b"200 OK" in upload.recv(9999)
        assert working[0].result().status_code == 200
        upload.close()
        assert process.wait(20) == 0


def test_slow_clients_keep_nobody_out_and_are_given_up(shelf):
    picture = (shelf / "red.png").read_bytes()
    words = ["--packed", shelf / "colours.bnn", "--timeout", 2, "--workers", 1, "--queue", 1]
    with serving(*words) as (_, address):
        url = f"{address}/v1/models/colours:classify"
        uploads = [slow_upload(url, picture) for _ in range(5)]
        headers = slow_upload(url, picture, b"GET / HTTP/1.1\r\nHost: ")
        wait_until(lambda: metric(address, "bnas_body_bytes") == 5 * (len(picture) - 1))
        assert httpx.post(url, content=picture).status_code == 200
        assert all(b"408" in upload.recv(9999) for upload in uploads)
        assert headers.recv(9999) == b""
        assert metric(address, "bnas_body_bytes") == 0
        for client in (*uploads, headers):
            client.close()


def test_nothing_is_computed_for_who_has_gone_away(shelf):
    words = ["--packed", shelf / "things.bnn", "--workers", 1]
    with serving(*words, backend="reference") as (_, address), Pool(1) as pool:
        url = f"{address}/v2/models/things/infer"
        first = pool.submit(infer, address, tensors(2500))
        wait_until(lambda: metric(address, "bnas_requests_inside") == 1)
        body, headers = tensors(1)
        left = [slow_upload(url, body, headers=headers) for _ in range(3)]
        for client in left:
            client.sendall(body[-1:])
        wait_until(lambda: metric(address, "bnas_requests_inside") == 4)
        for client in left:
            client.close()
        wait_until(lambda: metric(address, "bnas_requests_inside") == 1)
        assert not first.done()
        assert first.result().status_code == 200


def test_bodies_that_arrive_take_bounded_memory(shelf):
    words = ["--packed", shelf / "colours.bnn", "--workers", 1, "--queue", 1, "--max-bytes", 9000]
    with serving(*words) as (_, address):
        url = f"{address}/v1/models/colours:classify"
        uploads = [slow_upload(url, bytes(9000)) for _ in range(2)]
        wait_until(lambda: metric(address, "bnas_body_bytes") == 2 * 8999)
        refused = httpx.post(url, content=bytes(100))
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        for upload in uploads:
            upload.close()
        wait_until(lambda: metric(address, "bnas_body_bytes") == 0)


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
    for path in ("/", "/docs"):
        page = client.get(path)
        assert "http" not in page.text  # nothing comes from elsewhere
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        for name in re.findall('(?:src|href)="([a-z.]+)"', page.text):
            assert client.get(f"/{name}").status_code == 200
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/ready").json() == {"models": ["colours", "things"]}
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/v1/models/{name}:classify", "/v2/models/{name}/infer"} <= set(paths)


def quotas(folder):
    """What the files of a container mean, in versions 2 and 1 of cgroups."""
    for text, cpus in (("150000 100000\n", 1), ("max 100000\n", None), ("", None)):
        (folder / "cpu.max").write_text(text)
        yield cpus
    (folder / "cpu").mkdir()
    (folder / "cpu/cpu.cfs_period_us").write_text("100000\n")
    for text, cpus in (("50000\n", 1), ("-1\n", None)):
        (folder / "cpu/cpu.cfs_quota_us").write_text(text)
        yield cpus


def test_the_quota_of_a_container_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(64), raising=False)
    assert usable_cpus(tmp_path / "none") == 64
    for cpus in quotas(tmp_path):
        assert usable_cpus(tmp_path) == (cpus or 64)
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text("1250000\n")
    assert usable_cpus(tmp_path) == 12


def test_mistakes_of_the_command_are_one_line(shelf, tmp_path, capsys):
    path = str(shelf / "colours.bnn")
    assert main(["--packed", path, "--packed", path]) == 2
    assert "two models would be called colours" in capsys.readouterr().err
    assert main(["--packed", str(tmp_path / "none.bnn")]) == 2
    assert main(["--packed", path, "--port", "99999"]) == 2
