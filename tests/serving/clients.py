"""Clients that are slow on purpose, and what a server says of itself."""

from __future__ import annotations

import json
import socket
import time

import httpx
import numpy as np

LENGTH = "Inference-Header-Content-Length"


def connection(address):
    """A TCP connection to `http://host:port…`."""
    host, port = address.removeprefix("http://").partition("/")[0].split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def slow_upload(url, body, sent=None, headers=None):
    """A connection with all of a request but its last byte, or with `sent`."""
    path = "/" + url.removeprefix("http://").partition("/")[2]
    named = {"Host": "x", "Content-Length": len(body), **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    head = f"POST {path} HTTP/1.1\r\n{lines}\r\n"
    client = connection(url)
    client.sendall(sent or head.encode() + body[:-1])
    return client


def tensors(count):
    """An inference request with `count` images (3, 8, 8) in bytes, and the length of its JSON."""
    images = np.random.default_rng(3).normal(size=(count, 3, 8, 8)).astype("<f4")
    size = {"binary_data_size": images.nbytes}
    tensor = {"name": "input", "datatype": "FP32", "shape": list(images.shape), "parameters": size}
    record = {"inputs": [tensor], "parameters": {"binary_data_output": True}}
    text = json.dumps(record).encode()
    return text + images.tobytes(), {LENGTH: str(len(text))}


def infer(address, request):
    """Send what `tensors` made to the model `things`."""
    body, headers = request
    url = address + "/v2/models/things/infer"
    return httpx.post(url, content=body, headers=headers, timeout=60)


def metric(address, name):
    """One number of /metrics."""
    text = httpx.get(address + "/metrics").text
    return float(text.split(f"\n{name} ")[1].split()[0])


def wait_until(true):
    """Wait for something that must come soon."""
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
