"""The Open Inference Protocol, by hand and with NVIDIA's client."""

from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest
from serving.clients import LENGTH, tensors

from bnas_deploy import load

IMAGES = np.random.default_rng(3).normal(size=(2, 3, 8, 8)).astype(np.float32)


@pytest.fixture
def logits(shelf):
    return load(shelf / "things.bnn", backend="reference").run(IMAGES)  # the meaning of all others


def test_json_tensors_give_the_engines_bits(client, logits):
    tensor = {"name": "input", "datatype": "FP32", "shape": list(IMAGES.shape)}
    for data in (IMAGES.tolist(), IMAGES.ravel().tolist()):
        request = {"id": "7", "inputs": [{**tensor, "data": data}]}
        answer = client.post("/v2/models/things/infer", json=request).json()
        (output,) = answer["outputs"]
        assert (answer["id"], output["shape"]) == ("7", [2, 10])
        np.testing.assert_array_equal(np.float32(output["data"]).reshape(2, 10), logits)


@pytest.mark.parametrize("binary", [True, False])
def test_tritons_client_gets_the_engines_bits(address, logits, binary):
    triton = pytest.importorskip("tritonclient.http")
    with triton.InferenceServerClient(address.removeprefix("http://")) as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("things")
        assert not client.is_model_ready("nothing")
        assert client.get_server_metadata()["name"] == "bnas-serve"
        (told,) = client.get_model_metadata("things")["inputs"]
        tensor = triton.InferInput(told["name"], list(IMAGES.shape), told["datatype"])
        tensor.set_data_from_numpy(IMAGES, binary_data=binary)
        outputs = [triton.InferRequestedOutput("logits", binary_data=binary)]
        answer = client.infer("things", [tensor], outputs=outputs)
        np.testing.assert_array_equal(answer.as_numpy("logits"), logits)
        default = client.infer("things", [tensor])
        np.testing.assert_array_equal(default.as_numpy("logits"), logits)


MISTAKES = {
    "no such model": ("nothing", "input", (2, 3, 8, 8), np.float32, "404"),
    "a size": ("things", "input", (2, 3, 9, 8), np.float32, "expected the shape"),
    "dimensions": ("things", "input", (3, 8, 8), np.float32, "expected the shape"),
    "a datatype": ("things", "input", (2, 3, 8, 8), np.float64, "datatype FP32"),
    "whole numbers": ("things", "input", (2, 3, 8, 8), np.int32, "datatype FP32"),
    "a name": ("things", "other", (2, 3, 8, 8), np.float32, "'input'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("binary", [True, False])
def test_tritons_client_is_told_what_is_wrong(address, mistake, binary):
    triton = pytest.importorskip("tritonclient.http")
    from tritonclient.utils import InferenceServerException, np_to_triton_dtype

    model, name, shape, dtype, said = MISTAKES[mistake]
    tensor = triton.InferInput(name, list(shape), np_to_triton_dtype(dtype))
    tensor.set_data_from_numpy(np.zeros(shape, dtype), binary_data=binary)
    with triton.InferenceServerClient(address.removeprefix("http://")) as client:
        with pytest.raises(InferenceServerException, match=said):
            client.infer(model, [tensor])
        good = triton.InferInput("input", [0, 3, 8, 8], "FP32")
        good.set_data_from_numpy(np.zeros((0, 3, 8, 8), np.float32))
        asked = [triton.InferRequestedOutput("x")]
        with pytest.raises(InferenceServerException, match="only output"):
            client.infer("things", [good], outputs=asked)


def curl(*words):
    """What curl prints: the answer, and its status as the last line."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    command = ["curl", "-sS", "-w", "\n%{http_code}", *map(str, words)]
    body, _, status = subprocess.run(command, check=True, capture_output=True).stdout.rpartition(
        b"\n"
    )
    return int(status), body


def test_curl_sends_tensors(address, shelf, tmp_path):
    url = address + "/v2/models/things"
    (body, headers), path = tensors(2), tmp_path / "body"
    path.write_bytes(body)
    images = np.frombuffer(body[int(headers[LENGTH]) :], "<f4").reshape(2, 3, 8, 8)
    right = load(shelf / "things.bnn", backend="reference").run(images)
    words = ["-H", f"{LENGTH}: {headers[LENGTH]}", "--data-binary", f"@{path}"]
    status, answer = curl(*words, url + "/infer")
    assert (status, answer.endswith(right.tobytes())) == (200, True)
    tensor = {"name": "input", "datatype": "FP32", "shape": [2, 3, 8, 8], "data": images.tolist()}
    path.write_text(json.dumps({"inputs": [tensor]}))
    status, answer = curl("--json", f"@{path}", url + "/infer")
    (output,) = json.loads(answer)["outputs"]
    assert (status, np.float32(output["data"]).tobytes()) == (200, right.tobytes())
    assert json.loads(curl(url)[1])["inputs"][0]["shape"] == [-1, 3, 8, 8]


def test_curl_sends_pictures_and_is_told_what_is_wrong(address, shelf):
    url = f"{address}/v1/models/colours:classify"
    status, answer = curl("-F", f"file=@{shelf / 'blue.png'}", url)
    assert (status, json.loads(answer)["results"][0]["label"]) == (200, "blue")
    for words, status in (
        (["-F", f"a=@{shelf / 'red.png'}", "-F", f"b=@{shelf / 'red.png'}", url], 400),
        (["-d", "x", url], 400),
        (["-d", "x", url.replace("colours", "nothing")], 404),
        ([url], 405),
    ):
        found, answer = curl(*words)
        assert (found, list(json.loads(answer))) == (status, ["error"])
