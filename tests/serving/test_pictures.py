"""Pictures over HTTP get the answer of bnas-run --json; bad ones get a sentence."""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess

import pytest
from PIL import Image
from serving.conftest import BACKEND

from bnas_deploy.cli.run.command import main as bnas_run

URL = "/v1/models/colours:classify"


def test_every_way_in_gets_the_answer_of_bnas_run(client, shelf, capsys, monkeypatch):
    monkeypatch.setenv("BNAS_BACKEND", BACKEND)
    path = shelf / "red.png"
    assert bnas_run(["--packed", str(shelf / "colours.bnn"), str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    told["model"], told["results"][0]["image"] = "colours", "<body>"
    content = path.read_bytes()
    answers = [
        client.post(URL, content=content),
        client.post(URL, files={"file": content}),
        client.post(URL, json={"image": base64.b64encode(content).decode()}),
    ]
    assert [answer.json() for answer in answers] == [told] * 3
    assert told["results"][0]["label"] == "red"
    assert len(client.post(URL + "?top_k=2", content=content).json()["results"][0]["top"]) == 2


def test_curl_classifies(address, shelf):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    words = ["curl", "-sS", "--data-binary", f"@{shelf / 'blue.png'}", address + URL]
    told = subprocess.run(words, check=True, capture_output=True).stdout
    assert json.loads(told)["results"][0]["label"] == "blue"


def picture(kind, size=(8, 8)):
    file = io.BytesIO()
    Image.new("RGB", size).save(file, kind)
    return file.getvalue()


def test_formats_that_start_programs_and_large_pictures_are_refused(client):
    eps = client.post(URL, content=picture("EPS"))
    assert (eps.status_code, "formats" in eps.json()["error"]) == (400, True)
    large = client.post(URL, content=picture("PNG", (101, 100)))
    assert (large.status_code, "10000" in large.json()["error"]) == (400, True)
    assert client.post(URL, content=picture("PNG", (100, 100))).status_code == 200


def test_a_large_body_is_refused_with_and_without_its_length(client):
    assert client.post(URL, content=bytes(200_001)).status_code == 413
    assert client.post(URL, content=(bytes(50_000) for _ in range(5))).status_code == 413


def test_unknown_models_and_paths_are_not_found(client, shelf):
    for name in ("x", "..%2Fcolours", str(shelf / "colours.bnn").replace("/", "%2F")):
        assert client.post(f"/v1/models/{name}:classify", content=b"x").status_code == 404
