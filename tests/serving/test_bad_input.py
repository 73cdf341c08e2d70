"""Any body gets a 4xx with a sentence: no 5xx, no traceback, no path of the server."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

INFER, CLASSIFY = "/v2/models/things/infer", "/v1/models/things:classify"
FEW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES = st.recursive(SCALARS, lambda x: st.lists(x, max_size=3), max_leaves=6)
TENSORS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.just("input") | VALUES,
        "datatype": st.just("FP32") | VALUES,
        "shape": st.sampled_from([[1, 3, 8, 8], [-1, 3, 8, 8], [2**40, 3, 8, 8]]) | VALUES,
        "data": VALUES,
        "parameters": st.fixed_dictionaries({"binary_data_size": VALUES}) | VALUES,
    },
)
REQUESTS = VALUES | st.fixed_dictionaries(
    {"inputs": st.lists(TENSORS, max_size=2) | VALUES}, optional={"id": VALUES, "outputs": VALUES}
)


def check(answer, shelf):
    assert 400 <= answer.status_code < 500, answer.text
    sentence = answer.json()["error"]
    assert sentence
    assert "Traceback" not in sentence
    assert str(shelf) not in answer.text


@FEW
@given(record=REQUESTS)
def test_any_json(client, shelf, record):
    body = json.dumps(record).encode()
    check(client.post(INFER, content=body), shelf)
    check(client.post(CLASSIFY, content=body, headers={"Content-Type": "application/json"}), shelf)


@FEW
@given(body=st.binary(max_size=60), length=st.sampled_from(["", "0", "9", "-1", "9" * 30, "x"]))
def test_any_bytes(client, shelf, body, length):
    check(
        client.post(INFER, content=body, headers={"Inference-Header-Content-Length": length}), shelf
    )
    for kind in ("image/png", "application/json", "multipart/form-data; boundary=x"):
        check(client.post(CLASSIFY, content=body, headers={"Content-Type": kind}), shelf)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b"9" * 10_000,
        b'{"inputs": [{"name": "input", "data": [NaN]}]}',
        b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--x--\r\n",
    ],
)
def test_known_troubles(client, shelf, body):
    check(client.post(INFER, content=body), shelf)
    for kind in ("application/json", "multipart/form-data; boundary=x", "multipart/form-data"):
        check(client.post(CLASSIFY, content=body, headers={"Content-Type": kind}), shelf)


def test_other_mistakes_are_sentences_too(client, shelf):
    check(client.get("/nothing"), shelf)
    check(client.get(INFER), shelf)
    check(client.post(CLASSIFY + "?top_k=x", content=b"x"), shelf)
    check(client.post(CLASSIFY, content=b"x", headers={"Content-Encoding": "gzip"}), shelf)
