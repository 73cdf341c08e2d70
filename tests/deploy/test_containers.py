"""What deploy/serving/ tells containers and KServe to do is what bnas-serve does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest
from serving.conftest import serving
from support.small_models import picture_model

from bnas_deploy.cli.serve.parser import serve_parser
from bnas_deploy.format import write

yaml = pytest.importorskip("yaml")

FOLDER = Path(__file__).parents[2] / "deploy/serving"
DOCKERFILE = (FOLDER / "Dockerfile").read_text()
RUNTIME = yaml.safe_load((FOLDER / "serving-runtime.yaml").read_text())["spec"]
SERVICE = yaml.safe_load((FOLDER / "inference-service.yaml").read_text())
(CONTAINER,) = RUNTIME["containers"]


def test_kserve_gets_a_model_under_the_services_name(tmp_path):
    """The storage initialiser mounts the model's file, or its folder, at /mnt/models."""
    name = SERVICE["metadata"]["name"]
    write(picture_model(), tmp_path / "whatever.bnn")
    places = {"{{.Name}}": name, "/mnt/models": str(tmp_path), "0.0.0.0": "127.0.0.1", "8080": "0"}
    words = [places.get(word, word) for word in CONTAINER["args"]]
    with serving(*words) as (_, address):
        for probe in ("readinessProbe", "livenessProbe"):
            path = CONTAINER[probe]["httpGet"]["path"]
            assert httpx.get(address + path).status_code == 200
        assert httpx.get(f"{address}/v2/models/{name}/ready").json()["ready"]
        metrics = RUNTIME["annotations"]["prometheus.kserve.io/path"]
        assert "bnas_requests" in httpx.get(address + metrics).text


def test_the_ports_and_formats_are_the_same_everywhere():
    args = serve_parser().parse_args(CONTAINER["args"])
    ports = {CONTAINER["ports"][0]["containerPort"], CONTAINER["livenessProbe"]["httpGet"]["port"]}
    assert ports == {args.port, int(RUNTIME["annotations"]["prometheus.kserve.io/port"])}
    model = SERVICE["spec"]["predictor"]["model"]
    assert model["modelFormat"]["name"] == RUNTIME["supportedModelFormats"][0]["name"]
    assert [model["protocolVersion"]] == RUNTIME["protocolVersions"]


def test_the_image_listens_where_it_is_asked_for_its_health():
    command = json.loads(re.findall(r"(?m)^CMD (.*)$", DOCKERFILE)[0])
    args = serve_parser().parse_args(command)
    assert (args.host, args.packed) == ("0.0.0.0", ["/mnt/models"])
    assert f"EXPOSE {args.port}\n" in DOCKERFILE
    assert f"http://127.0.0.1:{args.port}/ready" in DOCKERFILE
    assert re.search(r"(?m)^USER [1-9]", DOCKERFILE)


def test_what_the_build_needs_is_in_its_context():
    wanted = re.findall(r"(?m)^!(.*)$", (FOLDER / "Dockerfile.dockerignore").read_text())
    assert all((FOLDER.parents[1] / name).exists() for name in wanted)
    assert {"pyproject.toml", "CMakeLists.txt", "bnas_deploy", "converters"} <= set(wanted)
