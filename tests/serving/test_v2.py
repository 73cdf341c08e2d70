"""The Open Inference Protocol, by hand and with NVIDIA's client."""

from __future__ import annotations

import numpy as np
import pytest

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
