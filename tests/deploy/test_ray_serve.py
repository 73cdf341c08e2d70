"""The application of Ray Serve on a local cluster gives the answers of one process, to the bit."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from serving.clients import LENGTH, tensors, wait_until
from support.small_models import picture_model

from bnas_deploy import load
from bnas_deploy.engine import available
from bnas_deploy.extras import is_installed
from bnas_deploy.format import write

pytest.importorskip("fastapi")
if not is_installed("ray"):
    pytest.skip('ray is not installed: pip install "ray[serve]"', allow_module_level=True)

FOLDER = Path(__file__).parents[2] / "deploy/serving"
PROGRAM = """
import sys, ray
from ray import serve
import ray_serve
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[2])})
serve.run(ray_serve.application({"packed": sys.argv[1], "replicas": "2"}))
print("serving", flush=True)
sys.stdin.read()
serve.shutdown()
ray.shutdown()
"""


@contextmanager
def ray_serving(packed):
    """The application on a cluster of its own, which ends with the block."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    backend = "native" if available()["native"] is None else "reference"
    environment = {
        **os.environ,
        "BNAS_BACKEND": backend,
        "PYTHONPATH": os.pathsep.join([str(FOLDER), *sys.path]),
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    words = [sys.executable, "-c", PROGRAM, str(packed), str(port)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, env=environment, **pipes) as process:
        assert process.stdout.readline() == "serving\n"
        yield f"http://127.0.0.1:{port}"
        process.stdin.close()
        assert process.wait(60) == 0


def test_replicas_answer_like_one_process(tmp_path):
    write(picture_model(), tmp_path / "things.bnn")
    body, headers = tensors(3)
    with ray_serving(tmp_path / "things.bnn") as address:
        wait_until(lambda: httpx.get(address + "/ready").status_code == 200)
        url = address + "/v2/models/things/infer"
        answers = [httpx.post(url, content=body, headers=headers) for _ in range(8)]
        refused = httpx.post(url, content=b"{}")
    images = np.frombuffer(body[int(headers[LENGTH]) :], "<f4").reshape(3, 3, 8, 8)
    right = load(tmp_path / "things.bnn", backend="reference").run(images).tobytes()
    for answer in answers:
        assert answer.content[int(answer.headers[LENGTH]) :] == right
    assert (refused.status_code, list(json.loads(refused.text))) == (400, ["error"])
