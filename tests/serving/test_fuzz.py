"""Random bodies and headers at every endpoint: 4xx with a sentence, or the answer that is due.

BNAS_FUZZ is the number of requests, 900 where it is not set.
"""

from __future__ import annotations

import json
import os
import random

import pytest
from serving.bodies import any_request, bodies

COUNT = int(os.environ.get("BNAS_FUZZ", "900"))
SECRETS = ("Traceback", "site-packages", "/bnas_deploy/", "line ")


@pytest.mark.parametrize("seed", range(3))
def test_no_request_breaks_the_server(client, shelf, seed):
    rng = random.Random(seed)
    known = bodies(shelf)
    statuses = set()
    for _ in range(COUNT // 3):
        method, path, headers, body = any_request(rng, known)
        answer = client.request(method, path, content=body, headers=headers)
        statuses.add(answer.status_code)
        asked = (method, path, headers, body[:200])
        assert answer.status_code < 500, (asked, answer.text)
        if answer.status_code >= 400:
            sentence = answer.json()["error"]
            assert sentence, asked
            for secret in (*SECRETS, str(shelf)):
                assert secret not in sentence, asked
    assert statuses >= {200, 400, 404, 405}
    health = client.get("/health")
    assert health.json() == {"status": "ok"}
    assert json.loads(client.get("/v1/models").text)["models"] == ["colours", "things"]
