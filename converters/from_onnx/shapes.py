"""Shapes of an ONNX model's values, inferred in a process of its own; only to find more obstacles.

The inference of the `onnx` package is native code that ends the process on some damaged models, so
it runs apart, and what comes back is bounded.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys

import onnx

from bnas_deploy.converters.signs.limits import ARRAY_LIMIT, EXTENT_LIMIT

__all__ = ["inferred_shapes"]

SECONDS = 60

_PROGRAM = """
import json, sys, onnx
model = onnx.shape_inference.infer_shapes(onnx.load_from_string(sys.stdin.buffer.read()))
values = (*model.graph.value_info, *model.graph.output)
print(json.dumps({v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}))
"""


def inferred_shapes(proto: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    """Return the extents behind the batch of values, where they are known; else nothing.

    Args:
        proto: Any model, also a damaged one.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            input=proto.SerializeToString(),
            capture_output=True,
            check=True,
            timeout=SECONDS,
        )
        found = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return {}
    return {name: tuple(dims[1:]) for name, dims in found.items() if _bounded(dims[1:])}


def _bounded(extents: list[int]) -> bool:
    known = bool(extents) and min(extents) >= 1 and max(extents) <= EXTENT_LIMIT
    return known and math.prod(extents) <= ARRAY_LIMIT
