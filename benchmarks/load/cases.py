"""What is sent and what must come back: networks, tensors, a photograph, and checked answers."""

from __future__ import annotations

import io
import json
from pathlib import Path

import httpx
import networks
import numpy as np
from PIL import Image

from bnas_deploy.format import write
from bnas_deploy.rivals import onnx_export
from bnas_deploy.runtime.model import Model

__all__ = ["BODIES", "URLS", "make_network", "make_requests"]

INPUTS = 8
MANY = 16
"""Images of a request that is to overload a server."""
PHOTO = (500, 375)
URLS = {
    "tensor": "/v2/models/packed/infer",
    "picture": "/v1/models/packed:classify",
    "many": "/v2/models/packed/infer",
}
BODIES = {"tensor": "binary tensors 1×3×32×32", "picture": f"JPEG {PHOTO[0]}×{PHOTO[1]}"}


def make_network(name: str, folder: Path) -> None:
    """Write packed.bnn, float32.onnx and int8.onnx of BNAS-`name` (shortcut conv), untrained."""
    folder.mkdir(parents=True, exist_ok=True)
    variant = networks.Variant(name)
    write(networks.packed(variant), folder / "packed.bnn")
    batch = networks.images(networks.config(variant).image_size, networks.CALIBRATION_IMAGES)
    floats = networks.build(variant, binary=False)
    for file, int8 in (("float32", False), ("int8", True)):
        (folder / f"{file}.onnx").write_bytes(onnx_export.export(floats, batch, int8=int8))


def make_requests(address: str, model: Model, body: str, folder: Path) -> None:
    """Write a folder for wrk.lua, after comparing the server's answers with the model's own.

    Raises:
        AssertionError: An answer is wrong.
    """
    folder.mkdir(parents=True, exist_ok=True)
    bodies, header = (_photo, _tensors)[body != "picture"](model, MANY if body == "many" else 1)
    (folder / "header").write_text("".join(f"{k}: {v}\n" for k, v in header.items()))
    for number, (content, right) in enumerate(bodies, 1):
        answer = httpx.post(address + URLS[body], content=content, headers=header, timeout=60)
        assert answer.status_code == 200, answer.text
        _check(answer, right)
        (folder / f"{number}.request").write_bytes(content)
        (folder / f"{number}.answer").write_bytes(answer.content)


Bodies = list[tuple[bytes, object]]


def _tensors(model: Model, count: int) -> tuple[Bodies, dict[str, str]]:
    shape = (INPUTS, count, *model.input_shape)
    images = np.random.default_rng(20).standard_normal(shape, dtype=np.float32)
    made = [(*_request(batch, number), model.run(batch)) for number, batch in enumerate(images, 1)]
    (length,) = {length for _, length, _ in made}  # ids of one digit
    header = {
        "Inference-Header-Content-Length": str(length),
        "Content-Type": "application/octet-stream",
    }
    return [(content, logits) for content, _, logits in made], header


def _request(batch: np.ndarray, number: int) -> tuple[bytes, int]:
    tensor = {"name": "input", "datatype": "FP32", "shape": list(batch.shape)}
    tensor["parameters"] = {"binary_data_size": batch.nbytes}
    record = {"id": str(number), "inputs": [tensor], "parameters": {"binary_data_output": True}}
    text = json.dumps(record).encode()
    return text + batch.astype("<f4").tobytes(), len(text)


def _photo(model: Model, _: int) -> tuple[Bodies, dict[str, str]]:
    noise = np.random.default_rng(20).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).resize(PHOTO, Image.Resampling.BICUBIC).save(file, "JPEG")
    (right,) = model.predict(file.getvalue())
    return [(file.getvalue(), right.label)], {"Content-Type": "image/jpeg"}


def _check(answer: httpx.Response, right: object) -> None:
    """The logits to the bit, or the name of the class."""
    if isinstance(right, str):
        assert answer.json()["results"][0]["label"] == right
        return
    data = answer.content[int(answer.headers["Inference-Header-Content-Length"]) :]
    assert data == np.asarray(right).astype("<f4").tobytes()
