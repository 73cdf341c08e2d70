"""Requests at random: bodies that are right, and what chance makes of them."""

from __future__ import annotations

import base64
import io
import json

from PIL import Image
from serving.clients import LENGTH, tensors

PATHS = (
    "/", "/docs", "/docs.js", "/health", "/ready", "/metrics", "/openapi.json", "/v1/models",
    "/v1/models/colours:classify", "/v1/models/things:classify", "/v1/models/none:classify",
    "/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/things", "/v2/models/things/ready",
    "/v2/models/things/infer", "/v2/models/colours/infer", "/v2/models/none/infer",
)  # fmt: skip
POSTED = [path for path in PATHS if path.endswith((":classify", "infer"))]
KINDS = (
    "image/png", "application/json", "application/octet-stream", "text/plain", "",
    "multipart/form-data; boundary=x", "multipart/form-data", "multipart/form-data; boundary=\"\"",
    "application/json; charset=utf-16", "multipart/form-data; boundary=" + "y" * 300,
)  # fmt: skip
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "EPS", "PDF", "ICO", "TGA")
ODD = (
    b"\x00",
    b"\xff" * 9,
    b"[" * 2000,
    b"{}",
    b"null",
    b"-1",
    b"1e999",
    b"\r\n",
    b"--x",
    b"--x--",
)


def bodies(shelf):
    """Bodies that are right somewhere, with their headers."""
    found = [tensors(1), tensors(3)]
    picture = (shelf / "red.png").read_bytes()
    found.append((picture, {"Content-Type": "image/png"}))
    for kind in FORMATS:
        file = io.BytesIO()
        Image.new("RGB", (12, 9), (200, 10, 10)).save(file, kind)
        found.append((file.getvalue(), {}))
    text = json.dumps({"image": base64.b64encode(picture).decode()}).encode()
    found.append((text, {"Content-Type": "application/json"}))
    part = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    found.append((part + picture + b"\r\n--x--\r\n", form))
    tensor = {"name": "input", "datatype": "FP32", "shape": [1, 3, 8, 8], "data": [0.5] * 192}
    found.append((json.dumps({"inputs": [tensor]}).encode(), {}))
    return found


def any_request(rng, known):
    """Method, path, headers and body."""
    body, headers = rng.choice(known)
    headers = dict(headers)
    if rng.random() < 0.8:
        body = damaged(rng, body)
    if rng.random() < 0.3:
        headers["Content-Type"] = rng.choice(KINDS)
    if rng.random() < 0.2:
        headers[LENGTH] = rng.choice(("", "-1", "0", "5", "9" * 30, "x", "1_0", "+3"))
    if rng.random() < 0.1:
        headers[rng.choice(("Accept", "Content-Encoding", "X-Odd"))] = rng.choice(
            ("*", "gzip", b"\xe9")
        )
    if rng.random() < 0.85:
        return "POST", rng.choice(POSTED) + rng.choice(QUERIES), headers, body
    method = rng.choice(("GET", "PUT", "DELETE", "OPTIONS", "PATCH", "POST"))
    return method, rng.choice((*PATHS, "/../etc/passwd", "/v2/models/%00/infer")), headers, body


QUERIES = ("",) * 6 + ("?top_k=2", "?top_k=-1", "?top_k=" + "9" * 50, "?x=%ff", "?top_k=1&top_k=x")


def damaged(rng, body):
    """Cut, changed, doubled, or with something odd in it."""
    made = bytearray(body)
    for _ in range(rng.randrange(1, 4)):
        place = rng.randrange(len(made) + 1)
        chance = rng.random()
        if chance < 0.3:
            del made[place:]
        elif chance < 0.6 and made:
            made[min(place, len(made) - 1)] = rng.randrange(256)
        elif chance < 0.8:
            made[place:place] = rng.choice(ODD)
        else:
            del made[place : place + rng.randrange(20)]
    return bytes(made)
