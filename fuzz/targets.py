"""What the loop in Python calls with damaged bytes; each may raise nothing but a `BnasError`.

Each imports what it needs when it is called first.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["TARGETS"]


@dataclass(frozen=True)
class Target:
    """One of them.

    Attributes:
        call: What is tried.
        folder: Of its seeds, made by seeds.py.
        own_seeds: Further ones.
    """

    call: Callable[[bytes], object]
    folder: str
    own_seeds: Callable[[], list[bytes]] = list


def _read(blob: bytes) -> object:
    from bnas_deploy.format import read

    return read(blob)


def _resealed(blob: bytes) -> object:
    """With the checksum made right, where the header can still be read."""
    end = 8 + int.from_bytes(blob[:8], "little")
    try:
        header = json.loads(blob[8:end])
        program = header["__metadata__"]["bnas.program"].encode()
        header["__metadata__"]["bnas.sha256"] = hashlib.sha256(program + blob[end:]).hexdigest()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return _read(blob)
    text = json.dumps(header).encode()
    return _read(len(text).to_bytes(8, "little") + text + blob[end:])


def _json(blob: bytes) -> object:
    from bnas_deploy.format.strict_json import parse_json

    return parse_json(blob, "header")


def _picture(blob: bytes) -> object:
    from bnas_deploy.runtime.images import open_rgb

    return open_rgb(blob)


def _checkpoint(blob: bytes) -> object:
    from bnas_deploy.checkpoints.torch_file import load_bytes

    return load_bytes("model.pt", blob)


def _checkpoints() -> list[bytes]:
    import io

    import torch

    file, old = io.BytesIO(), io.BytesIO()
    value = {"a": torch.zeros(3), "b": {"c": [1, 2.0, "d", None]}}
    torch.save(value, file)
    torch.save(value, old, _use_new_zipfile_serialization=False)
    return [file.getvalue(), old.getvalue()]


def _onnx(blob: bytes) -> object:
    from bnas_deploy.converters.from_onnx.convert import convert_onnx

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(blob)
        return convert_onnx(path, allow_float=True, images=1)


def _onnx_models() -> list[bytes]:
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    shapes = {"w": (4, 3, 3, 3), "v": (4, 4, 3, 3), "m": (2, 4)}
    weights = [
        numpy_helper.from_array(rng.standard_normal(shape).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Sign", ["a"], ["s"]),
        helper.make_node("Conv", ["s", "v"], ["b"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["b"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "m"], ["y"], transB=1),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "g",
        [value("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [value("y", TensorProto.FLOAT, [1, 2])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return [model.SerializeToString()]


TARGETS = {
    "reader": Target(_read, "reader"),
    "resealed": Target(_resealed, "resealed"),
    "json": Target(_json, "json"),
    "pictures": Target(_picture, "pictures"),
    "checkpoints": Target(_checkpoint, "checkpoints", _checkpoints),
    "onnx": Target(_onnx, "onnx", _onnx_models),
}
"""By name."""
