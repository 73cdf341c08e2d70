"""What each extra of the package installs, to tell users what to install when it is missing.

Messages name the packages themselves: that works wherever this package came from, while the name
bnas-deploy on an index may be somebody else's. A test compares the table with pyproject.toml.
"""

from __future__ import annotations

__all__ = ["EXTRAS", "how_to_install", "is_installed"]

EXTRAS: dict[str, tuple[str, ...]] = {
    "train": ("torch>=2.4", "tqdm"),
    "tensorboard": ("tensorboard",),
    "plot": ("matplotlib",),
    "numba": ("numba>=0.59",),
    "parquet": ("pyarrow>=15",),
    "onnx": ("onnx>=1.16", "onnxruntime>=1.18"),
    "ort": ("onnx>=1.16", "onnxruntime>=1.18", "onnxruntime-extensions"),
    "tflite": ("tflite>=2.10",),
    "litert": ("ai-edge-litert", "ai-edge-quantizer", "litert-torch"),
    "ray": ("pyarrow>=15", "ray[data]>=2.9"),
    "serve": (
        "fastapi>=0.110",
        "prometheus-client>=0.15",
        "python-multipart>=0.0.18",
        "uvicorn>=0.27",
    ),
    "completion": ("shtab>=1.6",),
}
"""The requirements of an extra that hold for every version of Python."""


def how_to_install(extra: str) -> str:
    """Return the command that installs what an extra needs, quoted for every shell.

    Example:
        >>> how_to_install("train")
        'pip install "torch>=2.4" tqdm'
    """
    words = (f'"{name}"' if ">" in name else name for name in EXTRAS[extra])
    return " ".join(["pip install", *words])


def is_installed(package: str) -> bool:
    """Whether a package can be imported; it is not."""
    from importlib.util import find_spec  # noqa: PLC0415 - not needed to run a network

    return find_spec(package) is not None
