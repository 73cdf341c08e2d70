"""Tensors of the Open Inference Protocol: in JSON, and as bytes behind it (the binary extension).

Bytes are little-endian float32 in C order, whatever the machine's own order.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.serving.answers import BadRequest

__all__ = ["INPUT", "OUTPUT", "Asked", "asked"]

INPUT, OUTPUT, DATATYPE = "input", "logits", "FP32"
WIRE = np.dtype("<f4")

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Asked:
    """What an inference request asks.

    Attributes:
        images: float32 (N, C, H, W).
        id: To be echoed, or None.
        binary: Whether the logits are to come as bytes.
    """

    images: Floats
    id: str | None
    binary: bool


def asked(body: bytes, header_length: str | None, shape: tuple[int, int, int]) -> Asked:
    """Read an inference request.

    Args:
        body: JSON, and behind it the bytes of the input where it is binary.
        header_length: Bytes of the JSON, the header Inference-Header-Content-Length; or None.
        shape: (C, H, W) of the model's input.

    Raises:
        BadRequest: It is none, or not for this model.
    """
    text, data = _split(body, header_length)
    request = _object(text)
    tensors = request.get("inputs")
    if not isinstance(tensors, list) or len(tensors) != 1 or not isinstance(tensors[0], dict):
        msg = f'expected "inputs" with one tensor, called {INPUT!r}'
        raise BadRequest(msg)
    name = request.get("id")
    if name is not None and not isinstance(name, str):
        msg = 'expected a text as "id"'
        raise BadRequest(msg)
    return Asked(_images(tensors[0], data, shape), name, _wants_binary(request))


def _split(body: bytes, header_length: str | None) -> tuple[bytes, bytes]:
    if header_length is None:
        return body, b""
    digits = header_length.isascii() and header_length.isdecimal() and len(header_length) < 20
    if not digits or int(header_length) > len(body):
        msg = (
            "Inference-Header-Content-Length must be the number of bytes of the JSON at the start"
            " of the body"
        )
        raise BadRequest(msg)
    return body[: int(header_length)], body[int(header_length) :]


def _object(text: bytes) -> dict[str, Any]:
    try:
        request = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        msg = "the body is not JSON"
        raise BadRequest(msg) from None
    if not isinstance(request, dict):
        msg = "expected a JSON object"
        raise BadRequest(msg)
    return request


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _images(tensor: dict[str, Any], data: bytes, shape: tuple[int, int, int]) -> Floats:
    if tensor.get("name") != INPUT or tensor.get("datatype") != DATATYPE:
        msg = f"expected one tensor called {INPUT!r} of datatype {DATATYPE}"
        raise BadRequest(msg)
    sizes = _sizes(tensor.get("shape"), shape)
    size = _parameters(tensor).get("binary_data_size")
    if size is None:
        if data:
            msg = 'there are bytes behind the JSON, but no "binary_data_size" in it'
            raise BadRequest(msg)
        return _from_json(tensor.get("data"), sizes)
    expected = sizes[0] * int(np.prod(shape)) * WIRE.itemsize
    if isinstance(size, bool) or not size == len(data) == expected:
        msg = (
            f"a tensor of shape {list(sizes)} takes {expected} bytes, in binary_data_size and"
            f" behind the JSON; got {len(data)}"
        )
        raise BadRequest(msg)
    return np.frombuffer(data, WIRE).reshape(sizes).astype(np.float32)


def _sizes(given: object, shape: tuple[int, int, int]) -> tuple[int, ...]:
    fits = isinstance(given, list) and all(type(size) is int for size in given)
    if not fits or given[1:] != list(shape) or not 0 <= given[0] < 2**31:  # type: ignore[index]
        msg = f"expected the shape [N, {', '.join(map(str, shape))}]"
        raise BadRequest(msg)
    return tuple(given)  # type: ignore[arg-type]


def _from_json(data: object, sizes: tuple[int, ...]) -> Floats:
    count = int(np.prod(sizes, dtype=object))
    try:
        numbers = np.asarray(data if isinstance(data, list) else None)
    except ValueError:
        numbers = np.asarray(None)
    if numbers.dtype.kind not in "iuf" or numbers.size != count:
        msg = f'expected "data" with {count} numbers, flat or in nested lists'
        raise BadRequest(msg)
    if numbers.size and np.abs(numbers.astype(np.float64)).max() > np.finfo(np.float32).max:
        msg = 'there are numbers in "data" that float32 cannot hold'
        raise BadRequest(msg)
    return numbers.astype(np.float32).reshape(sizes)


def _wants_binary(request: dict[str, Any]) -> bool:
    outputs = request.get("outputs")
    if outputs is None or outputs == []:
        return _flag(request, "binary_data_output")
    if not isinstance(outputs, list) or len(outputs) != 1 or not isinstance(outputs[0], dict):
        msg = f'expected "outputs" with one tensor, called {OUTPUT!r}'
        raise BadRequest(msg)
    (output,) = outputs
    if output.get("name") != OUTPUT:
        msg = f"the model's only output is called {OUTPUT!r}"
        raise BadRequest(msg)
    if "classification" in _parameters(output):
        msg = "classification is not offered; POST a picture to /v1/models/NAME:classify"
        raise BadRequest(msg)
    if "binary_data" in _parameters(output):
        return _flag(output, "binary_data")
    return _flag(request, "binary_data_output")


def _flag(holder: dict[str, Any], name: str) -> bool:
    value = _parameters(holder).get(name, False)
    if not isinstance(value, bool):
        msg = f'expected true or false as "{name}"'
        raise BadRequest(msg)
    return value


def _parameters(holder: dict[str, Any]) -> dict[str, Any]:
    parameters = holder.get("parameters", {})
    if not isinstance(parameters, dict):
        msg = 'expected an object as "parameters"'
        raise BadRequest(msg)
    return parameters
